package eventlog

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/livemeter/livemeter/pipeline/event"
)

// Bounds of what a reader allocates per control record.
const (
	maxPartition = 1 << 16 // partitions of one raw topic
	maxTopics    = 1 << 10
	maxZoneBytes = 64
	maxNameBytes = 249 // Kafka's own limit
)

// AppendSettings appends the record value of s.
func AppendSettings(p []byte, s *Settings) []byte {
	p = append(p, RecordSettings, FormatVersion)
	p = binary.AppendUvarint(p, uint64(s.Partitions))
	p = binary.LittleEndian.AppendUint64(p, s.KeyFingerprint)
	for _, v := range [...]int64{s.HorizonMS, s.LatenessMS, s.SessionGapMS, s.DedupeMS} {
		p = binary.AppendUvarint(p, zigzag(v))
	}
	p = appendText(p, s.Zone)
	p = binary.AppendUvarint(p, uint64(s.MaxCells))
	for _, d := range s.TTLDays {
		p = binary.AppendUvarint(p, uint64(d))
	}
	return p
}

// AppendRepeated appends the record value of s as settings that are told again.
func AppendRepeated(p []byte, s *Settings) []byte {
	at := len(p)
	p = AppendSettings(p, s)
	p[at] = RecordRepeated
	return p
}

// DecodeSettings reads a record of type RecordSettings or RecordRepeated.
func DecodeSettings(value []byte) (Settings, error) {
	var s Settings
	t, err := RecordType(value)
	if err == nil && t != RecordRepeated {
		err = checkType(value, RecordSettings)
	}
	if err != nil {
		return s, err
	}
	f := fields{p: value, i: headerBytes}
	s.Partitions = uint16(f.atMost(1<<16 - 1))
	s.KeyFingerprint = f.fixed64()
	s.HorizonMS, s.LatenessMS, s.SessionGapMS, s.DedupeMS = f.varint(), f.varint(), f.varint(), f.varint()
	s.Zone = f.text(maxZoneBytes)
	s.MaxCells = uint32(f.atMost(1<<32 - 1))
	for i := range s.TTLDays {
		s.TTLDays[i] = uint16(f.atMost(1<<16 - 1))
	}
	return s, f.end("settings")
}

// AppendSources appends the record value of s.
func AppendSources(p []byte, s *Sources) []byte {
	p = append(p, RecordSources, FormatVersion)
	p = binary.AppendUvarint(p, uint64(len(s.Topics)))
	for i := range s.Topics {
		t := &s.Topics[i]
		p = append(p, byte(t.Kind))
		p = append(p, t.ID[:]...)
		p = binary.AppendUvarint(p, uint64(uint32(t.Partitions)))
		p = appendText(p, t.Name)
	}
	return p
}

// DecodeSources reads a record of type RecordSources into s and reuses its slice.
func DecodeSources(value []byte, s *Sources) error {
	if err := checkType(value, RecordSources); err != nil {
		return err
	}
	f := fields{p: value, i: headerBytes}
	s.Topics = s.Topics[:0]
	for n := f.atMost(maxTopics); n > 0 && f.ok(); n-- {
		var t SourceTopic
		t.Kind = event.Topic(f.atMost(uint64(event.NumTopics) - 1))
		t.ID = f.id()
		t.Partitions = int32(f.atMost(maxPartition))
		t.Name = f.text(maxNameBytes)
		s.Topics = append(s.Topics, t)
	}
	return f.end("sources")
}

// AppendProgress appends the record value of pr. Items of one topic that follow each other name it once.
func AppendProgress(p []byte, pr *Progress) []byte {
	p = append(p, RecordProgress, FormatVersion)
	p = binary.AppendUvarint(p, uint64(len(pr.Items)))
	var before ProgressItem
	for i := range pr.Items {
		it := &pr.Items[i]
		if i > 0 && it.Source.TopicID == before.Source.TopicID {
			p = append(p, 0)
		} else {
			p = append(p, 1)
			p = append(p, it.Source.TopicID[:]...)
		}
		p = binary.AppendUvarint(p, uint64(uint32(it.Source.Partition)))
		p = binary.AppendUvarint(p, zigzag(int64(it.Generation)-int64(before.Generation)))
		p = binary.AppendUvarint(p, zigzag(it.Offset))
		p = binary.AppendUvarint(p, zigzag(it.Recv-before.Recv))
		before = *it
	}
	return p
}

// AppendStalled appends the record value of sources that have stalled: how far they were taken, and up to when all of them is known.
func AppendStalled(p []byte, pr *Progress) []byte {
	at := len(p)
	p = AppendProgress(p, pr)
	p[at] = RecordStalled
	return p
}

// DecodeProgress reads a record of type RecordProgress or RecordStalled into pr and reuses its slice.
func DecodeProgress(value []byte, pr *Progress) error {
	t, err := RecordType(value)
	if err == nil && t != RecordStalled {
		err = checkType(value, RecordProgress)
	}
	if err != nil {
		return err
	}
	f := fields{p: value, i: headerBytes}
	pr.Items = pr.Items[:0]
	var it ProgressItem
	for n := f.uvarint(); n > 0 && f.ok(); n-- {
		switch f.atMost(1) {
		case 1:
			it.Source.TopicID = f.id()
		case 0:
			if len(pr.Items) == 0 {
				f.i = beyond
			}
		}
		it.Source.Partition = int32(f.atMost(maxPartition))
		g := int64(it.Generation) + f.varint()
		if g != int64(int32(g)) {
			f.i = beyond
		}
		it.Generation = int32(g)
		it.Offset = f.varint()
		it.Recv += f.varint()
		pr.Items = append(pr.Items, it)
	}
	return f.end("progress")
}

// fields reads one field after the other; an error sticks.
type fields struct {
	p []byte
	i int
}

func (f *fields) ok() bool { return f.i <= len(f.p) }

func (f *fields) uvarint() (v uint64) { v, f.i = uvarint(f.p, f.i); return v }
func (f *fields) varint() (v int64)   { v, f.i = varint(f.p, f.i); return v }

func (f *fields) atMost(limit uint64) uint64 {
	v := f.uvarint()
	if v > limit {
		f.i = beyond
		return 0
	}
	return v
}

func (f *fields) fixed64() uint64 {
	if !f.ok() || len(f.p)-f.i < 8 {
		f.i = beyond
		return 0
	}
	v := binary.LittleEndian.Uint64(f.p[f.i:])
	f.i += 8
	return v
}

func (f *fields) id() (id [16]byte) { id, f.i = topicID(f.p, f.i); return id }

// text copies: control records are rare and what they say is kept.
func (f *fields) text(limit int) string {
	var s string
	s, f.i = text(f.p, f.i)
	if len(s) > limit {
		f.i = beyond
		return ""
	}
	return strings.Clone(s)
}

func (f *fields) end(what string) error {
	if !f.ok() {
		return damaged(what+" cut or out of range", len(f.p))
	}
	if f.i < len(f.p) {
		return fmt.Errorf("%w: %s: %d bytes after the end", ErrDamaged, what, len(f.p)-f.i)
	}
	return nil
}

// Equal says whether two lists of sources are the same, order included.
func (s *Sources) Equal(o *Sources) bool { return slices.Equal(s.Topics, o.Topics) }
