package enrich

import (
	"errors"
	"testing"

	"github.com/livemeter/livemeter/pipeline/cellkey"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A record of a newer livemeter stops the reader for good, also where one of its type would have been passed over: what can't be read must not be skipped.
func TestRecordsOfANewerLivemeter(t *testing.T) {
	block, settings := []byte{eventlog.RecordBlock, eventlog.FormatVersion + 1}, &eventlog.Settings{Zone: "UTC"}
	for name, c := range map[string]struct {
		first []byte // nil: the log's beginning is gone
		value []byte
		want  error
	}{
		"a type":                           {eventlog.AppendSettings(nil, settings), []byte{eventlog.RecordStalled + 1, eventlog.FormatVersion}, eventlog.ErrUnknown},
		"a block":                          {eventlog.AppendSettings(nil, settings), block, eventlog.ErrUnknown},
		"a block before the settings":      {nil, block, eventlog.ErrUnknown},
		"settings that were there already": {eventlog.AppendSettings(nil, settings), []byte{eventlog.RecordRepeated, eventlog.FormatVersion + 1}, eventlog.ErrUnknown},
		"nothing":                          {nil, nil, eventlog.ErrDamaged},
	} {
		e, offset := New(0, cellkey.NewTable()), int64(7)
		if c.first != nil {
			if _, err := e.Apply(0, c.first); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Apply(offset, c.value); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
