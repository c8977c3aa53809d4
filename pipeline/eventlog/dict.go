package eventlog

import "fmt"

// Dict numbers the strings and sources that a collector's writers refer to, so that a writer finds out with one array access whether
// its open block has defined one already. It is shared by all writers of one goroutine and is not safe for concurrent use.
//
// Its memory is bounded: when the strings exceed maxBytes it forgets all of them and the writers define anew, which costs bytes in the
// log and nothing else.
type Dict struct {
	ids      map[string]uint32
	strings  []string
	bytes    int
	maxBytes int
	epoch    uint32 // rises when the strings are forgotten
	sources  []SourceID
	numbers  map[SourceID]int
}

// DefaultDictBytes holds some 500k room keys.
const DefaultDictBytes = 64 << 20

const dictEntryOverhead = 64 // map slot, string header and the writers' stamps

// NewDict returns an empty dictionary of at most maxBytes; 0 is DefaultDictBytes.
func NewDict(maxBytes int) *Dict {
	if maxBytes <= 0 {
		maxBytes = DefaultDictBytes
	}
	return &Dict{ids: make(map[string]uint32), maxBytes: maxBytes, numbers: make(map[SourceID]int)}
}

// Source numbers a source partition; the same source always gets the same number.
func (d *Dict) Source(id SourceID) int {
	n, ok := d.numbers[id]
	if !ok {
		n = len(d.sources)
		d.sources = append(d.sources, id)
		d.numbers[id] = n
	}
	return n
}

// SourceID is the source with number n.
func (d *Dict) SourceID(n int) SourceID { return d.sources[n] }

// intern numbers the string in key, which the caller keeps.
func (d *Dict) intern(key []byte) uint32 {
	if n, ok := d.ids[string(key)]; ok {
		return n
	}
	if d.bytes >= d.maxBytes {
		d.forget()
	}
	s := string(key)
	n := uint32(len(d.strings))
	d.strings = append(d.strings, s)
	d.ids[s] = n
	d.bytes += len(s) + dictEntryOverhead
	return n
}

func (d *Dict) forget() {
	clear(d.ids)
	clear(d.strings)
	d.strings, d.bytes = d.strings[:0], 0
	d.epoch++
}

func (d *Dict) String() string {
	return fmt.Sprintf("%d strings, %d bytes, %d sources", len(d.strings), d.bytes, len(d.sources))
}
