package ledger

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// store answers the queries of Compare from a truth, as ClickHouse would if it had exactly these rows.
type store struct {
	t      *Truth
	status string
}

var tableOf = regexp.MustCompile(`FROM livemeter\.(\w+)(?: WHERE grain = '(\w+)')?`)

func (s store) Query(_ context.Context, query string, _ ...any) (driver.Rows, error) {
	m := tableOf.FindStringSubmatch(query)
	if m == nil {
		return nil, fmt.Errorf("unexpected query %s", query)
	}
	out := &answer{}
	switch m[1] {
	case "orders":
		for _, o := range s.t.Orders {
			out.rows = append(out.rows, []any{o.Platform, o.OrderID, o.State, o.Version, o.Room, o.Session, o.Currency, o.PaidMinor, o.RefundMinor})
		}
	case "outcomes":
		for k, n := range s.t.Outcomes {
			out.rows = append(out.rows, []any{k.Topic, k.Partition, k.Minute, k.Outcome, k.Reason, n})
		}
	case "completeness":
		for k, n := range s.t.Completeness {
			out.rows = append(out.rows, []any{k.Platform, k.Kind, k.SDKName, k.SDKVersion, k.Minute, n.Expected, n.Received})
		}
	default:
		s.cells(out, m[1], m[2])
	}
	return out, nil
}

func (s store) cells(out *answer, table, grain string) {
	for q, tab := range s.t.Tables {
		for i, r := range tab.Rows {
			if tab.Name != table || grainNames[r.Grain] != grain {
				continue
			}
			p, sub, window := s.t.Places[r.Place], s.t.Subs[r.Sub], r.Window
			if r.Grain == gSession {
				window = s.t.SessionStarts[r.Place]
			}
			row := []any{window, s.status, p.Platform, p.Room, p.Session}
			for j := range subColumns[q] {
				row = append(row, sub[j])
			}
			n := len(tab.Measures)
			out.rows = append(out.rows, append(row, tab.Values[i*n:(i+1)*n]))
		}
	}
}

type answer struct {
	driver.Rows
	rows [][]any
	at   int
}

func (a *answer) Next() bool   { a.at++; return a.at <= len(a.rows) }
func (a *answer) Err() error   { return nil }
func (a *answer) Close() error { return nil }
func (a *answer) Scan(dest ...any) error {
	row := a.rows[a.at-1]
	if len(row) != len(dest) {
		return fmt.Errorf("%d columns into %d", len(row), len(dest))
	}
	for i := range row {
		reflect.ValueOf(dest[i]).Elem().Set(reflect.ValueOf(row[i]))
	}
	return nil
}

func twoTruths(t *testing.T) (want, got *Truth) {
	t.Helper()
	s := newScript(t)
	s.viewer(0, "v", "enter", "")
	s.viewer(5_000, "v", "heartbeat", `"watch_ms_delta":5000`)
	s.order(10_000, "o", 1, "paid", 900, room)
	s.add("viewer", 11_000, `"room_id":5`)
	want = s.finish()
	name := filepath.Join(t.TempDir(), "ledger")
	if err := want.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return want, got
}

func report(t *testing.T, want, got *Truth, o CompareOptions) (*Report, string) {
	t.Helper()
	r, err := Compare(context.Background(), store{got, "provisional"}, want, o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.WriteTable(&out, false, false); err != nil {
		t.Fatal(err)
	}
	return r, out.String()
}

func TestCompareEqualAfterTheFile(t *testing.T) {
	want, got := twoTruths(t)
	r, text := report(t, want, got, CompareOptions{})
	if !r.OK() || r.Total.Compared < 20 || !strings.Contains(text, "all equal") {
		t.Errorf("%+v\n%s", r.Total, text)
	}
	if r.Conserved.Compared != 3 {
		t.Errorf("%d lines of outcomes compared, want 3", r.Conserved.Compared)
	}
}

func TestCompareSeesEveryDifference(t *testing.T) {
	for _, c := range []struct {
		name, says string
		change     func(*Truth)
	}{
		{"value", "room_measures", func(t *Truth) { t.Tables[0].Values[0]++ }},
		{"missing row", "no row", func(t *Truth) {
			tab := &t.Tables[cSKUMoney]
			tab.Rows, tab.Values = tab.Rows[1:], tab.Values[len(tab.Measures):]
		}},
		{"second row of a key", "no row", func(t *Truth) {
			tab := &t.Tables[cRoom]
			tab.Rows = append(tab.Rows, tab.Rows[0])
			tab.Values = append(tab.Values, tab.Values[:len(tab.Measures)]...)
		}},
		{"other room", `room "r1"`, func(t *Truth) { t.Places[0].Room = "rx" }},
		{"start of session", "window_start of session", func(t *Truth) { t.SessionStarts[0]++ }},
		{"order state", "orders.whole row", func(t *Truth) { t.Orders[0].State = "shipped" }},
		{"no order", "not in ClickHouse", func(t *Truth) { t.Orders = nil }},
		{"outcome", "outcomes.records", func(t *Truth) {
			for k := range t.Outcomes {
				t.Outcomes[k] += 2
			}
		}},
		{"a number that is missing", "completeness.expected, received", func(t *Truth) {
			for k, n := range t.Completeness {
				t.Completeness[k] = Numbers{n.Expected + 1, n.Received}
			}
		}},
	} {
		want, got := twoTruths(t)
		c.change(got)
		r, text := report(t, want, got, CompareOptions{})
		if r.OK() || !strings.Contains(text, c.says) {
			t.Errorf("%s: OK %v, text does not say %q:\n%s", c.name, r.OK(), c.says, text)
		}
	}
}

// What differs stands first in a file; on a terminal, where the table scrolls, it stands last before the total.
func TestTableShowsWhatDiffers(t *testing.T) {
	equal := Line{Table: "a", Measure: "equal", Counts: Counts{Compared: 1, Equal: 1}}
	wrong := Line{Table: "b", Measure: "wrong", Counts: Counts{Compared: 1, Different: 1}, Differences: []string{"ledger 1, ClickHouse 2"}}
	r := Report{Lines: []Line{wrong, equal}, Total: wrong.Counts}
	difference := "  b.wrong: ledger 1, ClickHouse 2"
	for terminal, wants := range map[bool][]string{false: {"table", "b  ", difference, "a  ", "1 rows compared"}, true: {"table", "a  ", "b  ", difference, "1 rows compared"}} {
		var out bytes.Buffer
		if err := r.WriteTable(&out, terminal, false); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		for i, want := range wants {
			if !strings.HasPrefix(lines[i], want) {
				t.Errorf("terminal %v: line %d is %q, want %q", terminal, i, lines[i], want)
			}
		}
	}
}

func TestCompareIgnoresRowsOfZeros(t *testing.T) {
	want, got := twoTruths(t)
	tab := &got.Tables[cRoom]
	tab.Rows = append(tab.Rows, Row{Grain: g10s, Window: 5})
	tab.Values = append(tab.Values, make([]int64, len(tab.Measures))...)
	if r, text := report(t, want, got, CompareOptions{}); !r.OK() {
		t.Error(text)
	}
}

func TestCompareFinds10sStillProvisional(t *testing.T) {
	want, got := twoTruths(t)
	r, _ := report(t, want, got, CompareOptions{FinalBefore: time.UnixMilli(t0 + 10_000 + 60_000)})
	if r.NotFinal == 0 || r.OK() {
		t.Errorf("%d rows not final, want the 10 s rows of the first pane", r.NotFinal)
	}
	r, _ = report(t, want, got, CompareOptions{FinalBefore: time.UnixMilli(t0 + 10_000 + 59_999)})
	if r.NotFinal != 0 {
		t.Errorf("%d rows not final before their lateness is over", r.NotFinal)
	}
}

func TestFinishRefusesAViewerUnderTwoKeys(t *testing.T) {
	s := newScript(t)
	failed := false
	for i := range 64 {
		s.l.Add("raw.viewer", 0, int64(i), fmt.Appendf(nil, "key %d", i), fmt.Appendf(nil, `{"event_id":"e%d",%s`, i, strings.TrimPrefix(heartbeat, `{"event_id":"e",`)), t0)
	}
	_, err := s.l.Finish()
	failed = err != nil && strings.Contains(err.Error(), "different keys")
	if !failed {
		t.Errorf("error %v, want one that says that keys differ", err)
	}
}

func TestFinishRefusesOffsetsOutOfOrder(t *testing.T) {
	s := newScript(t)
	s.l.Add("raw.viewer", 0, 7, nil, []byte(heartbeat), t0)
	s.l.Add("raw.viewer", 0, 6, nil, []byte(heartbeat), t0)
	if _, err := s.l.Finish(); err == nil || !strings.Contains(err.Error(), "offset 6 was added after offset 7") {
		t.Errorf("error %v", err)
	}
}

func TestReportNamesWhatWasNotThere(t *testing.T) {
	equal := Counts{Compared: 1, Equal: 1}
	r := Report{Lines: []Line{{Table: "a", Measure: "x", Counts: equal}, {Table: "a", Measure: "y"}, {Table: "b", Measure: "x"}, {Table: "b", Measure: "z"},
		{Table: "c", Measure: "x"}, {Table: "c", Measure: "y"}, {Table: "c", Measure: "z", Counts: Counts{Missing: 1}}}}
	if got := r.Unexercised(); got != "not exercised, being empty or 0 throughout this run: b; y of a, c; x of c" {
		t.Error(got)
	}
	if got := (&Report{Lines: r.Lines[:1]}).Unexercised(); got != "" {
		t.Error(got)
	}
}
