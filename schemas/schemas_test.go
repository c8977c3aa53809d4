package schemas_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/event/vectors"
	"github.com/livemeter/livemeter/schemas"
)

func eventSchema(tb testing.TB, typ string) *jsonschema.Schema {
	tb.Helper()
	name := "events/" + typ + "/1-0-0.json"
	text, err := schemas.FS.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

type exception struct {
	why  string
	rule func(v vectors.Vector) bool
}

// beyondSchema are the rules of the contract that JSON Schema has no words for. Besides these, what is no JSON (too_large, too_deep,
// not_json, trailing_bytes) never comes to a schema, and a schema knows no topic.
var beyondSchema = []exception{
	{"Σ items.paid_minor = paid_minor", func(v vectors.Vector) bool { return v.Verdict.Reason == event.MoneyMismatch }},
	{"discount_minor ≤ goods_minor", func(v vectors.Vector) bool {
		return is(v, event.BadValue, "discount_minor") && has(v, `"discount_minor":1001,`)
	}},
	{"period_end ≥ period_start", func(v vectors.Vector) bool {
		return is(v, event.BadValue, "period_end") && has(v, `"period_end":1795312799999`)
	}},
	{"-0.0 and 1.0 are integers to a schema", func(v vectors.Vector) bool { return v.Verdict.Reason == event.BadType && wholeFloat.Match(v.Raw) }},
	{"5e3 is an integer to a schema", func(v vectors.Vector) bool { return v.Verdict.Reason == event.BadType && exponent.Match(v.Raw) }},
	{"128 bytes, not characters", func(v vectors.Vector) bool { return v.Verdict.Reason == event.BadValue && has(v, "éééé") }},
}

var (
	wholeFloat = regexp.MustCompile(`:-?[0-9]+\.0+[,}]`)
	exponent   = regexp.MustCompile(`:[0-9]+[eE]+[0-9][,}]`)
)

func is(v vectors.Vector, r event.Reason, field string) bool {
	return v.Verdict == event.Verdict{Reason: r, Field: field}
}

func has(v vectors.Vector, part string) bool { return bytes.Contains(v.Raw, []byte(part)) }

// The schemas accept what the decoder accepts and reject what it rejects, but for beyondSchema, which they accept.
func TestSchemasAgreeWithTheDecoder(t *testing.T) {
	all, err := vectors.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var compiled [event.NumTypes]*jsonschema.Schema
	for typ, name := range event.TypeNames {
		compiled[typ] = eventSchema(t, name)
	}
	used := make([]int, len(beyondSchema))
	judged := 0
	for _, v := range all {
		if slices.Contains([]event.Reason{event.TooDeep, event.NotJSON, event.TrailingBytes, event.WrongTopic}, v.Verdict.Reason) {
			continue
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(v.Raw))
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		judged++
		rule := slices.IndexFunc(beyondSchema, func(x exception) bool { return x.rule(v) })
		err = compiled[v.Topic].Validate(doc)
		switch {
		case v.Verdict.Reason == event.ReasonNone && err != nil:
			t.Errorf("%s: accepted by the decoder, not by the schema: %v", v.Name, err)
		case v.Verdict.Reason != event.ReasonNone && rule < 0 && err == nil:
			t.Errorf("%s: %v %s is accepted by the schema: %.300s", v.Name, v.Verdict.Reason, v.Verdict.Field, v.Raw)
		case rule >= 0 && err == nil:
			used[rule]++
		}
	}
	for i, n := range used {
		if n == 0 {
			t.Errorf("%q never made a difference: the schema can say it, take it off the list", beyondSchema[i].why)
		}
	}
	if judged < 400 {
		t.Errorf("only %d vectors were judged", judged)
	}
}

type asyncAPI struct {
	Channels map[string]struct {
		Address  string
		Messages map[string]map[string]string
	}
	Components struct {
		Messages map[string]struct {
			Payload struct {
				Schema map[string]string
			}
			Headers struct {
				Required   []string
				Properties map[string]struct{ Enum []string }
			}
		}
	}
}

// asyncapi.yaml names the topics, schemas, headers and reasons that the code has.
func TestAsyncAPIMatchesTheCode(t *testing.T) {
	text, err := schemas.FS.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc asyncAPI
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for topic, name := range event.Arrivals {
		typ := event.TypeNames[topic]
		if got := doc.Channels[name].Messages[typ]["$ref"]; got != "#/components/messages/"+typ {
			t.Errorf("channel %s: message %s is %q", name, typ, got)
		}
		file := doc.Components.Messages[typ].Payload.Schema["$ref"]
		if _, err := fs.Stat(schemas.FS, file); err != nil {
			t.Errorf("message %s: schema %q: %v", typ, file, err)
		}
	}
	for _, name := range strings.Fields("session room host product listing promo user fx") {
		if doc.Channels["dim."+name].Address != "dim."+name {
			t.Errorf("no channel dim.%s", name)
		}
	}
	if got := doc.Channels["raw.replay"].Messages["replay"]["$ref"]; got != "#/components/messages/replay" {
		t.Errorf("channel raw.replay: message replay is %q", got)
	}
	if want := "[reason source_topic source_topic_id source_partition source_offset received_ts]"; fmt.Sprint(doc.Components.Messages["replay"].Headers.Required) != want {
		t.Errorf("headers of raw.replay: %v, want %s", doc.Components.Messages["replay"].Headers.Required, want)
	}
	headers := doc.Components.Messages["rejected"].Headers
	if want := "[reason field source_topic source_topic_id source_partition source_offset received_ts]"; fmt.Sprint(headers.Required) != want {
		t.Errorf("headers of events.rejected: %v, want %s", headers.Required, want)
	}
	if got := headers.Properties["reason"].Enum; !slices.Equal(got, event.ReasonNames[1:]) {
		t.Errorf("reasons: %v, want %v", got, event.ReasonNames[1:])
	}
}

// Every $ref inside asyncapi.yaml leads somewhere.
func TestAsyncAPIReferences(t *testing.T) {
	text, err := schemas.FS.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	refs := 0
	walk(doc, func(ref string) {
		refs++
		if path, inside := strings.CutPrefix(ref, "#/"); inside {
			var at any = doc
			for _, part := range strings.Split(path, "/") {
				m, _ := at.(map[string]any)
				if at = m[part]; at == nil {
					t.Errorf("%s leads nowhere at %q", ref, part)
					return
				}
			}
		} else if _, err := fs.Stat(schemas.FS, ref); err != nil {
			t.Error(err)
		}
	})
	if refs < 30 {
		t.Errorf("only %d references found", refs)
	}
}

func walk(node any, ref func(string)) {
	switch n := node.(type) {
	case map[string]any:
		for k, v := range n {
			if s, ok := v.(string); ok && k == "$ref" {
				ref(s)
			}
			walk(v, ref)
		}
	case []any:
		for _, v := range n {
			walk(v, ref)
		}
	}
}
