package runtime

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What a stranger writes into headers moves nobody's terminal.
func TestRejectedTextIsPrintable(t *testing.T) {
	rec := &kgo.Record{Topic: "events.rejected", Headers: []kgo.RecordHeader{{Key: headerReason, Value: []byte("bad_enum\x1b[2J")}, {Key: headerField, Value: []byte("a\x9b\n")},
		{Key: headerTopic, Value: []byte("raw.\x07viewer")}, {Key: headerPartition, Value: []byte("0")}, {Key: headerOffset, Value: []byte("1")}}}
	row := rejectedRow(rec)
	if row.Reason != "bad_enum\ufffd[2J" || row.Field != "a\ufffd\ufffd" || row.Topic != "raw.\ufffdviewer" {
		t.Errorf("%q %q %q", row.Reason, row.Field, row.Topic)
	}
}
