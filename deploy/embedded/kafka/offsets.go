package kafka

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// span is where a partition begins and ends.
type span struct {
	Start int64 `json:"start"`
	End   int64 `json:"end"`
}

// offsets are the spans of partitions, by partitionKey. They are written down before records go (keeper): kfake finds a partition's offsets in its
// records alone, and one that has none would begin at 0 again.
type offsets map[string]span

// offsetsFile lies beside kfake's data.
const offsetsFile = "offsets.json"

// partitionKey names a partition of this life of a topic: made again, a topic has another id, and begins at 0.
func partitionKey(topicID string, partition int32) string {
	return fmt.Sprintf("%s/%d", topicID, partition)
}

func readOffsets(dir string) (offsets, error) {
	var o offsets
	return o, readJSON(filepath.Join(dir, offsetsFile), &o)
}

func (o offsets) write(dir string) error { return writeJSON(filepath.Join(dir, offsetsFile), o) }

// topic is one of kfake's topics.json, which is written with each change of a topic.
type topic struct {
	Name       string `json:"name"`
	ID         string `json:"id"`
	Partitions int32  `json:"partitions"`
}

func readTopics(dir string) ([]topic, error) {
	var all struct {
		Topics []topic `json:"topics"`
	}
	return all.Topics, readJSON(filepath.Join(dataDir(dir), "topics.json"), &all)
}

// dataDir is where kfake keeps its data.
func dataDir(dir string) string { return filepath.Join(dir, "data") }

// readJSON leaves v as it is where there is no file.
func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("kafka: offsets: %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("kafka: offsets: %s: %w", path, err)
	}
	return nil
}

// writeJSON replaces a file as a whole or not at all.
func writeJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("kafka: offsets: %w", err)
	}
	work := path + ".tmp"
	f, err := os.OpenFile(work, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return fmt.Errorf("kafka: offsets: %w", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(work, path)
	}
	if err != nil {
		return fmt.Errorf("kafka: offsets: %w", err)
	}
	return nil
}
