package schemas_test

import (
	"encoding/json"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/schemas"
)

// The examples in the schemas are records that the collector takes.
func TestExamplesAreAccepted(t *testing.T) {
	for _, typ := range event.TypeNames {
		text, err := schemas.FS.ReadFile("events/" + typ + "/1-0-0.json")
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			ID       string            `json:"$id"`
			Examples []json.RawMessage `json:"examples"`
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(doc.ID, "/schemas/events/"+typ+"/1-0-0.json") || len(doc.Examples) == 0 {
			t.Errorf("%s: $id %q, %d examples", typ, doc.ID, len(doc.Examples))
		}
		for i, e := range doc.Examples {
			if got := event.NewDecoder().DecodeAny(e, new(event.Event)); got.Reason != event.ReasonNone {
				t.Errorf("%s example %d: %v %s", typ, i, got.Reason, got.Field)
			}
		}
	}
}

// Whoever sends the examples as they stand, those of the OpenAPI document as well, sees each of them counted: none is a duplicate, and each
// instance counts its events.
func TestExamplesAreNoDuplicates(t *testing.T) {
	l, err := ledger.New(ledger.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ids, last := map[string]bool{}, map[string]int64{}
	examples := allExamples(t)
	for i, e := range examples {
		var of struct {
			Type     string `json:"type"`
			ID       string `json:"event_id"`
			Instance string `json:"sdk_instance_id"`
			Seq      int64  `json:"seq"`
		}
		if err := json.Unmarshal(e, &of); err != nil {
			t.Fatal(err)
		}
		if ids[of.ID] || of.Seq <= last[of.Instance] {
			t.Errorf("example %d: event_id %s there before: %v; seq %d of %s follows %d", i, of.ID, ids[of.ID], of.Seq, of.Instance, last[of.Instance])
		}
		ids[of.ID], last[of.Instance] = true, of.Seq
		l.Add("raw."+of.Type, 0, int64(i), nil, e, 1795400000000+int64(i))
	}
	truth, err := l.Finish()
	if err != nil {
		t.Fatal(err)
	}
	accepted := int64(0)
	for k, n := range truth.Outcomes {
		if k.Outcome == "accepted" {
			accepted += n
		}
	}
	if len(examples) < 10 || accepted != int64(len(examples)) {
		t.Errorf("%d examples: %v, want all accepted", len(examples), truth.Outcomes)
	}
}

// allExamples are those of the schemas, then those of openapi.yaml.
func allExamples(t *testing.T) (out []json.RawMessage) {
	t.Helper()
	for _, typ := range event.TypeNames {
		text, err := schemas.FS.ReadFile("events/" + typ + "/1-0-0.json")
		if err != nil {
			t.Fatal(err)
		}
		var doc struct{ Examples []json.RawMessage }
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		out = append(out, doc.Examples...)
	}
	text, err := schemas.FS.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"paths", "/v1/events", "post", "requestBody", "content", "application/json", "examples", "batch", "value"} {
		doc = doc.(map[string]any)[step]
	}
	for _, e := range doc.([]any) {
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	return out
}

// Every field of every event has a word about what it is.
func TestEveryFieldIsDescribed(t *testing.T) {
	for _, typ := range event.TypeNames {
		text, err := schemas.FS.ReadFile("events/" + typ + "/1-0-0.json")
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Properties map[string]struct{ Description, Const string }
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		for name, f := range doc.Properties {
			if f.Description == "" && f.Const == "" {
				t.Errorf("%s: nothing says what %s is", typ, name)
			}
		}
	}
}
