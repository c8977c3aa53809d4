package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSplitArray(t *testing.T) {
	for body, want := range map[string][]string{
		`[]`:                           nil,
		" \n[ ] \t\r\n":                nil,
		`[{"a":1}]`:                    {`{"a":1}`},
		` [ {"a" : 1} , {"b":[ ]} ] `:  {`{"a" : 1}`, `{"b":[ ]}`},
		`["],[",{"a":"}]\""},-0.5e+3]`: {`"],["`, `{"a":"}]\""}`, `-0.5e+3`},
		"[\"\xff\",null]":              {"\"\xff\"", `null`}, // UTF-8 is judged per event
	} {
		got, err := split([]byte(body), false, 10)
		if err != nil || !slices.Equal(texts(got), want) {
			t.Errorf("%q: got %q, %v; want %q", body, texts(got), err, want)
		}
	}
}

func TestBrokenArrayIsRefusedWithItsPosition(t *testing.T) {
	for body, pos := range map[string]int{
		`[`: 1, `[{"a":1}`: 8, `[{"a":1},]`: 9, `[,{}]`: 1, `[{}{}]`: 3, `[{} {}]`: 4, `[{}]]`: 4, `[{}] x`: 5,
		`[{"a":1]}`: 7, `[{"a":tru}]`: 9, `[{"a":01}]`: 7, `[{a:1}]`: 2, `[{"a" 1}]`: 6, `[{"a":1,}]`: 8, `[1.]`: 3, `[1e]`: 3, `[-]`: 2,
		`["\x"]`: 3, `["\u12g4"]`: 6, "[\"a\nb\"]": 3, `["a`: 3, "[\x00]": 1, `[1 2]`: 3, `[{"a":"x},{"b":"y"}]`: 12, `[nul`: 4,
	} {
		_, err := split([]byte(body), false, 10)
		var syntax *syntaxError
		if !errors.As(err, &syntax) || syntax.pos != pos {
			t.Errorf("%q: got %v, want a syntax error at byte %d", body, err, pos)
		}
	}
}

func TestSplitLines(t *testing.T) {
	body := "\n {\"a\":1} \r\n\t\n[1\nx\r\n{}"
	got, err := split([]byte(body), false, 10)
	if want := []string{`{"a":1}`, `[1`, `x`, `{}`}; err != nil || !slices.Equal(texts(got), want) {
		t.Errorf("got %q, %v; want %q", texts(got), err, want)
	}
	got, err = split([]byte("[1,2]\n[3]"), true, 10)
	if want := []string{`[1,2]`, `[3]`}; err != nil || !slices.Equal(texts(got), want) {
		t.Errorf("declared as NDJSON: got %q, %v; want %q", texts(got), err, want)
	}
}

func TestSplitLimits(t *testing.T) {
	for _, body := range []string{"[1,2,3]", "1\n2\n3"} {
		if got, err := split([]byte(body), false, 3); err != nil || len(got) != 3 {
			t.Errorf("%q at the limit: %d events, %v", body, len(got), err)
		}
		if _, err := split([]byte(body), false, 2); !errors.Is(err, errTooManyEvents) {
			t.Errorf("%q above the limit: %v", body, err)
		}
	}
	for _, body := range []string{"", " \n\t\r\n"} {
		if _, err := split([]byte(body), false, 2); !errors.Is(err, errEmptyBody) {
			t.Errorf("%q: %v, want errEmptyBody", body, err)
		}
	}
	bomb := "[" + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + "]"
	if got, err := split([]byte(bomb), false, 2); err != nil || len(got) != 1 || len(got[0]) != 400_000 {
		t.Errorf("a deep element must be cut out whole for its own verdict: %d events, %v", len(got), err)
	}
}

// FuzzBody holds the splitter to encoding/json: it accepts the same arrays and cuts them at the same places.
func FuzzBody(f *testing.F) {
	for _, s := range []string{`[]`, `[{"a":1},{"b":[2,"]"]}]`, "{}\n{}", "[1,]", `["\u00e4\"", -0.1E-2, true, null]`, "\xef\xbb\xbf[]", "[[[[{}]]]]", "[{}]x"} {
		f.Add([]byte(s))
	}
	vectors, err := filepath.Glob("../../schemas/testdata/*/*")
	if err != nil || len(vectors) < 10 {
		f.Fatal("the vectors are not where they were", vectors, err)
	}
	for _, name := range vectors {
		if data, err := os.ReadFile(name); err == nil && len(data) < 64<<10 {
			f.Add(data)
			f.Add(slices.Concat([]byte("["), data, []byte("]")))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := split(body, false, MaxEvents)
		trimmed := bytes.TrimLeft(body, jsonSpace)
		if len(trimmed) == 0 || trimmed[0] != '[' {
			checkLines(t, body, got, err)
			return
		}
		if bytes.Count(body, []byte("[")) > 5_000 || bytes.Count(body, []byte("{")) > 5_000 {
			return // encoding/json has a limit of depth, the splitter leaves that to the verdict
		}
		var want []json.RawMessage
		wantErr := json.Unmarshal(body, &want)
		if len(want) > MaxEvents {
			if !errors.Is(err, errTooManyEvents) {
				t.Fatalf("%d events: %v", len(want), err)
			}
			return
		}
		if errors.Is(err, errTooManyEvents) {
			return // broken behind the limit
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v, encoding/json says %v", body, err, wantErr)
		}
		var syntax *syntaxError
		if err != nil && (!errors.As(err, &syntax) || syntax.pos < 1 || syntax.pos > len(body)) {
			t.Fatalf("%q: %v has no position in the body", body, err)
		}
		if err == nil && !slices.EqualFunc(got, want, func(a []byte, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			t.Fatalf("%q: got %q, want %q", body, got, want)
		}
	})
}

// checkLines: nothing but white space is left out, and no event holds a line break.
func checkLines(t *testing.T, body []byte, got [][]byte, err error) {
	if err != nil {
		if !errors.Is(err, errEmptyBody) && !errors.Is(err, errTooManyEvents) {
			t.Fatalf("%q: %v", body, err)
		}
		return
	}
	rest := body
	for _, line := range got {
		before, after, found := bytes.Cut(rest, line)
		if !found || len(line) == 0 || bytes.ContainsRune(line, '\n') || len(bytes.Trim(before, jsonSpace)) > 0 {
			t.Fatalf("%q: line %q", body, line)
		}
		rest = after
	}
	if len(bytes.Trim(rest, jsonSpace)) > 0 {
		t.Fatalf("%q: %q was left out", body, rest)
	}
}

func texts(raws [][]byte) (out []string) {
	for _, r := range raws {
		out = append(out, string(r))
	}
	return out
}
