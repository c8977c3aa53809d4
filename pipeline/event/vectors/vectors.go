// Package vectors reads schemas/testdata, the records with known verdicts, for the tests of everything that judges records.
package vectors

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/livemeter/livemeter/pipeline/event"
)

// Vector is one record and what must become of it.
type Vector struct {
	Name    string // file:line
	Topic   event.Topic
	Raw     []byte
	Verdict event.Verdict
}

// Load reads all vectors below dir, the path of schemas/testdata.
func Load(dir string) ([]Vector, error) {
	var all []Vector
	for t, name := range event.TypeNames {
		err := lines(filepath.Join(dir, "valid", name+".ndjson"), func(at, line string) error {
			all = append(all, Vector{Name: at, Topic: event.Topic(t), Raw: []byte(line)})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "invalid", "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("vectors: no files match %s: %w", filepath.Join(dir, "invalid", "*.txt"), err)
	}
	for _, file := range files {
		reason := slices.Index(event.ReasonNames[:], strings.TrimSuffix(filepath.Base(file), ".txt"))
		if reason <= 0 {
			return nil, fmt.Errorf("vectors: %s is not named after a reason", file)
		}
		err := lines(file, func(at, line string) error {
			v, err := parseInvalid(line)
			v.Name, v.Verdict.Reason = at, event.Reason(reason)
			all = append(all, v)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func lines(file string, each func(at, line string) error) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("vectors: %w", err)
	}
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		at := fmt.Sprintf("%s:%d", filepath.Base(file), i+1)
		if err := each(at, line); err != nil {
			return fmt.Errorf("vectors: %s: %w", at, err)
		}
	}
	return nil
}

// parseInvalid reads TOPIC FIELD RECORD.
func parseInvalid(line string) (Vector, error) {
	parts := strings.SplitN(line, " ", 3)
	if len(parts) != 3 {
		return Vector{}, fmt.Errorf("want TOPIC FIELD RECORD, got %q", line)
	}
	topic := slices.Index(event.TypeNames[:], parts[0])
	if topic < 0 {
		return Vector{}, fmt.Errorf("no topic raw.%s", parts[0])
	}
	v := Vector{Topic: event.Topic(topic), Raw: []byte(parts[2])}
	if parts[1] != "-" {
		v.Verdict.Field = parts[1]
	}
	if strings.HasPrefix(parts[2], `"`) {
		raw, err := strconv.Unquote(parts[2])
		if err != nil {
			return Vector{}, fmt.Errorf("record %s: %w", parts[2], err)
		}
		v.Raw = []byte(raw)
	}
	return v, nil
}
