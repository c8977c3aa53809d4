package gateway

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

const specFile = "../../schemas/openapi.yaml"

// spec is openapi.yaml, and what was seen of it in real answers.
type spec struct {
	doc     map[string]any
	schemas map[string]*jsonschema.Schema // by JSON pointer
	seen    map[string]bool               // "POST 200", "code busy", "reason bad_type", "field Error.position", "header Retry-After"
}

func loadSpec(t *testing.T) *spec {
	t.Helper()
	data, err := os.ReadFile(specFile)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	plain, _ := json.Marshal(doc) // the numbers and maps of JSON instead of YAML's
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	return &spec{doc: value.(map[string]any), schemas: map[string]*jsonschema.Schema{}, seen: map[string]bool{}}
}

func (s *spec) at(path ...string) any {
	var v any = s.doc
	for _, p := range path {
		m, _ := v.(map[string]any)
		v = m[p]
	}
	return v
}

func (s *spec) object(path ...string) map[string]any {
	m, _ := s.at(path...).(map[string]any)
	return m
}

func (s *spec) compile(t *testing.T, path ...string) *jsonschema.Schema {
	t.Helper()
	pointer := ""
	for _, p := range path {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p)
	}
	if s.schemas[pointer] == nil {
		c := jsonschema.NewCompiler()
		if err := c.AddResource("mem:openapi", s.doc); err != nil {
			t.Fatal(err)
		}
		sch, err := c.Compile("mem:openapi#" + pointer)
		if err != nil {
			t.Fatalf("openapi.yaml %s: %v", pointer, err)
		}
		s.schemas[pointer] = sch
	}
	return s.schemas[pointer]
}

// responses lists where openapi.yaml documents a status for a method, over all its paths.
func (s *spec) responses(method, status string) (path []string) {
	for p, item := range s.object("paths") {
		if op, ok := item.(map[string]any)[strings.ToLower(method)].(map[string]any); ok {
			if _, ok := op["responses"].(map[string]any)[status]; ok {
				return []string{"paths", p, strings.ToLower(method), "responses", status}
			}
		}
	}
	return nil
}

// check holds a real answer to the document. Methods beyond those documented are answered like GET.
func (s *spec) check(t *testing.T, method string, resp *http.Response) {
	t.Helper()
	if method != http.MethodPost && method != http.MethodOptions || resp.StatusCode == http.StatusNotFound {
		method = http.MethodGet
	}
	status := strconv.Itoa(resp.StatusCode)
	path := s.responses(method, status)
	if path == nil {
		t.Fatalf("openapi.yaml knows no %s for %s: %s", status, method, text(resp))
	}
	s.seen[method+" "+status] = true
	s.checkHeaders(t, path, resp)
	media := s.object(append(path, "content")...)
	body := text(resp)
	if media == nil {
		if body != "" {
			t.Errorf("%s %s: a body where openapi.yaml has none: %s", method, status, body)
		}
		return
	}
	if got := resp.Header.Get("Content-Type"); media[got] == nil {
		t.Fatalf("%s %s: Content-Type %q is not in openapi.yaml", method, status, got)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s %s: %v: %s", method, status, err, body)
	}
	if err := s.compile(t, append(path, "content", "application/json", "schema")...).Validate(value); err != nil {
		t.Errorf("%s %s: %v: %s", method, status, err, body)
	}
	s.note(value.(map[string]any))
}

func (s *spec) checkHeaders(t *testing.T, path []string, resp *http.Response) {
	t.Helper()
	headers := s.object(append(path, "headers")...)
	for name, h := range headers {
		values := resp.Header.Values(name)
		if len(values) == 0 {
			if h.(map[string]any)["required"] == true {
				t.Errorf("%d without its %s header", resp.StatusCode, name)
			}
			continue
		}
		s.seen["header "+name] = true
		var value any = values[0]
		if n, err := strconv.Atoi(values[0]); err == nil {
			value = n
		}
		if err := s.compile(t, append(path, "headers", name, "schema")...).Validate(value); err != nil {
			t.Errorf("%d: header %s: %v", resp.StatusCode, name, err)
		}
	}
}

// note remembers which fields, codes and reasons an answer had.
func (s *spec) note(v map[string]any) {
	if code, ok := v["error"].(string); ok {
		s.seen["code "+code] = true
		for f := range v {
			s.seen["field Error."+f] = true
		}
		return
	}
	for f := range v {
		s.seen["field Answer."+f] = true
	}
	results, _ := v["results"].([]any)
	for _, r := range results {
		res := r.(map[string]any)
		schema := "Accepted"
		if reason, ok := res["reason"].(string); ok {
			schema = "Rejected"
			s.seen["reason "+reason] = true
		}
		for f := range res {
			s.seen["field "+schema+"."+f] = true
		}
	}
}

// documented lists all that a complete test must have seen.
func (s *spec) documented() []string {
	out := map[string]bool{}
	for _, item := range s.object("paths") {
		for method, op := range item.(map[string]any) {
			responses, _ := op.(map[string]any)["responses"].(map[string]any)
			for status, r := range responses {
				out[strings.ToUpper(method)+" "+status] = true
				headers, _ := r.(map[string]any)["headers"].(map[string]any)
				for h := range headers {
					out["header "+h] = true
				}
			}
		}
	}
	for _, name := range []string{"Error", "Answer", "Accepted", "Rejected"} {
		for f := range s.object("components", "schemas", name, "properties") {
			out["field "+name+"."+f] = true
		}
	}
	for kind, path := range map[string][]string{"code": {"Error", "properties", "error", "enum"}, "reason": {"Rejected", "properties", "reason", "enum"}} {
		for _, v := range s.at(append([]string{"components", "schemas"}, path...)...).([]any) {
			out[kind+" "+v.(string)] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}
