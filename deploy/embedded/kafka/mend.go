package kafka

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mend prepares kfake's data for its start: partitions without records go on at their end. It returns what is known of all of them.
func mend(dir string) (offsets, error) {
	written, err := readOffsets(dir)
	if err != nil {
		return nil, err
	}
	topics, err := readTopics(dir)
	if err != nil {
		return nil, err
	}
	known := offsets{}
	for _, t := range topics {
		for p := range t.Partitions {
			key := partitionKey(t.ID, p)
			if known[key], err = mendPartition(partitionDir(dir, t.Name, p), written[key]); err != nil {
				return nil, err
			}
		}
	}
	return known, nil
}

// partitionDir is where kfake keeps a partition (persist.go, partDir).
func partitionDir(dir, topic string, partition int32) string {
	return filepath.Join(dataDir(dir), "partitions", fmt.Sprintf("%s-%d", url.PathEscape(topic), partition))
}

// mendPartition mends one partition and returns its span as far as it is known: from a directory of an earlier version, by kfake's snapshot.
func mendPartition(dir string, written span) (span, error) {
	snap := readSnapshot(dir)
	s := span{max(written.Start, snap.offset("log_start_offset")), max(written.End, snap.offset("high_watermark"))}
	segments, err := readSegments(dir)
	if err != nil {
		return span{}, err
	}
	for _, g := range segments {
		if g.records {
			return s, nil
		}
		s.End = max(s.End, g.base)
	}
	if s.End == 0 { // it never had any
		return s, nil
	}
	s.Start = s.End
	return s, snap.beginAt(dir, s.End, segments)
}

// segment is a file of records, named by the offset of the first.
type segment struct {
	path    string
	base    int64
	records bool
}

const segmentSuffix = ".dat"

func readSegments(dir string) ([]segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("kafka: offsets: %w", err)
	}
	var out []segment
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), segmentSuffix)
		base, err := strconv.ParseInt(name, 10, 64)
		if !ok || err != nil {
			continue
		}
		g := segment{path: filepath.Join(dir, e.Name()), base: base}
		if g.records, err = holdsRecords(g.path); err != nil {
			return nil, fmt.Errorf("kafka: offsets: %w", err)
		}
		out = append(out, g)
	}
	return out, nil
}

// holdsRecords says whether a segment has a whole batch. A process that was killed, or a disk that was full, may have left the beginning of one.
func holdsRecords(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	var head [12]byte // an offset, and the length of what follows
	if _, err := f.ReadAt(head[:], 0); err != nil {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return false, err
	}
	return info.Size() >= int64(len(head))+int64(binary.BigEndian.Uint32(head[8:])), nil
}

// snapshot is what kfake writes of a partition when it ends. Most of it is not ours.
type snapshot map[string]json.RawMessage

const snapshotFile = "snapshot.json"

// readSnapshot gives an empty one where there is none that can be read: kfake reads the segments then.
func readSnapshot(dir string) snapshot {
	var s snapshot
	if err := readJSON(filepath.Join(dir, snapshotFile), &s); err != nil || s == nil {
		return snapshot{}
	}
	return s
}

// offset is 0 where a snapshot does not tell.
func (s snapshot) offset(name string) int64 {
	n, _ := strconv.ParseInt(string(s[name]), 10, 64)
	return n
}

// beginAt lets a partition without records begin at an offset. kfake takes that from a snapshot only where the snapshot names the segments that are
// there, at least one: an empty file will do, into which it writes the next records.
func (s snapshot) beginAt(dir string, offset int64, segments []segment) error {
	path := filepath.Join(dir, strconv.FormatInt(offset, 10)+segmentSuffix)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("kafka: offsets: %w", err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		return fmt.Errorf("kafka: offsets: %w", err)
	}
	for _, g := range segments {
		if g.path == path {
			continue
		}
		if err := os.Remove(g.path); err != nil {
			return fmt.Errorf("kafka: offsets: %w", err)
		}
	}
	at := json.RawMessage(strconv.FormatInt(offset, 10))
	s["version"] = json.RawMessage("1")
	s["high_watermark"], s["last_stable_offset"], s["log_start_offset"] = at, at, at
	s["segments"] = json.RawMessage(fmt.Sprintf(`[{"base_offset":%d,"size":0}]`, offset))
	delete(s, "aborted_txns") // their records are gone
	return writeJSON(filepath.Join(dir, snapshotFile), s)
}
