package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/livemeter/livemeter/cmd/livemeter/ui"
)

// Checks.
const (
	checkRecords = "records"
	checkEvents  = "events"
	checkLetters = "dead_letters"
	checkOffsets = "offsets"
)

// titles say what the two numbers of a check are.
var titles = []struct{ check, text, expected, found string }{
	{checkRecords, "raw records = accepted + duplicate + invalid", "in Kafka", "outcomes"},
	{checkEvents, "accepted events = Σ events over all rooms, of the whole log", "accepted", "events"},
	{checkLetters, "invalid records = dead letters kept", "invalid", "rejected"},
	{checkOffsets, "not yet counted", "end", "come to"},
}

// Line is one comparison.
type Line struct {
	Check       string `json:"check"`
	Of          string `json:"of"`
	Expected    int64  `json:"expected"`
	Found       int64  `json:"found"`
	UnderWay    int64  `json:"under_way"` // may be on one side only, because the pipeline is at work
	Differences int    `json:"differences"`
}

// Difference is where the two sides of a check do not agree.
type Difference struct {
	Check     string  `json:"check"`
	Topic     string  `json:"topic,omitempty"`
	Partition *int32  `json:"partition,omitempty"` // of the topic
	Minute    int64   `json:"minute_ms,omitempty"` // start of the minute of receive time
	Reason    string  `json:"reason,omitempty"`
	Of        string  `json:"of,omitempty"`
	Least     int64   `json:"expected_least"`
	Most      int64   `json:"expected_most"`
	Found     int64   `json:"found"`
	Part      *uint16 `json:"events_partition,omitempty"`
}

// Report is an audit. OK is false where anything differs that is not under way.
type Report struct {
	From        int64        `json:"from_ms"`
	To          int64        `json:"to_ms"`
	Watermark   int64        `json:"watermark_ms"`
	Compared    [2]int64     `json:"compared_ms"`     // minutes of receive time, half-open
	Letters     [2]int64     `json:"dead_letters_ms"` // those of dead letters: older ones are not kept
	OK          bool         `json:"ok"`
	Lines       []Line       `json:"checks"`
	Differences []Difference `json:"differences"` // the first of them
	More        int          `json:"more_differences"`
	Notes       []string     `json:"notes"`

	applied map[uint16]int64 // by partition of the log: records
}

// maxDifferences bounds what is remembered, maxPrinted what a person gets to see.
const (
	maxDifferences = 1000
	maxPrinted     = 20
)

func (r *Report) add(l Line) { r.Lines = append(r.Lines, l) }

func (r *Report) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

func (r *Report) differ(d Difference) {
	if len(r.Differences) >= maxDifferences {
		r.More++
		return
	}
	r.Differences = append(r.Differences, d)
}

func (r *Report) finish() {
	r.OK = len(r.Differences) == 0
	r.Differences, r.Notes = append([]Difference{}, r.Differences...), append([]string{}, r.Notes...) // none is a list, too
	slices.SortStableFunc(r.Lines, func(a, b Line) int { return cmp.Compare(rank(a.Check), rank(b.Check)) })
	slices.SortStableFunc(r.Differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(rank(a.Check), rank(b.Check)), cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Minute, b.Minute))
	})
}

func rank(check string) int {
	for i, t := range titles {
		if t.check == check {
			return i
		}
	}
	return len(titles)
}

// number writes an interval.
func number(least, most int64) string {
	if least == most {
		return ui.Count(most)
	}
	return ui.Count(least) + " to " + ui.Count(most)
}

func (d Difference) String() string {
	what := d.Of
	if d.Partition != nil {
		what = fmt.Sprintf("%s/%d %s", d.Topic, *d.Partition, clock(d.Minute))
	}
	if d.Reason != "" {
		what += " " + d.Reason
	}
	t := titles[rank(d.Check)]
	return fmt.Sprintf("%s: %s %s, %s %s", what, number(d.Least, d.Most), t.expected, ui.Count(d.Found), t.found)
}

// WriteJSON prints the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteTable prints a table for each check, then what differs.
func (r *Report) WriteTable(t *ui.Terminal) {
	for i, title := range titles {
		var rows [][]string
		for _, l := range r.Lines {
			if l.Check == title.check {
				rows = append(rows, []string{l.Of, ui.Count(l.Expected), ui.Count(l.Found), ui.Count(l.UnderWay), verdict(t, l)})
			}
		}
		if len(rows) == 0 {
			continue
		}
		if i > 0 {
			fmt.Fprintln(t)
		}
		fmt.Fprintln(t, title.text+r.span(title.check))
		for _, line := range t.Table([]ui.Column{{}, {Title: title.expected, Right: true}, {Title: title.found, Right: true}, {Title: "under way", Right: true}, {}}, rows) {
			fmt.Fprintln(t, line)
		}
	}
	if len(r.Notes)+len(r.Differences) > 0 {
		fmt.Fprintln(t)
	}
	for i, n := range r.Notes {
		if i == maxPrinted {
			fmt.Fprintf(t, "… and %d more notes: --json has all\n", len(r.Notes)-i)
			break
		}
		fmt.Fprintln(t, "note: "+n)
	}
	for i, d := range r.Differences {
		if i == maxPrinted {
			break
		}
		fmt.Fprintln(t, t.Paint("31", "differs: "+d.String()))
	}
	if n := len(r.Differences) + r.More; n > maxPrinted {
		fmt.Fprintf(t, "… and %d more: --json has the first %d\n", n-maxPrinted, maxDifferences)
	}
	if r.OK {
		fmt.Fprintln(t, t.Paint("32", "everything that could be compared balances"))
	} else {
		fmt.Fprintln(t, t.Paint("31", fmt.Sprintf("%d places do not balance", len(r.Differences)+r.More)))
	}
}

func (r *Report) span(check string) string {
	of := map[string][2]int64{checkRecords: r.Compared, checkLetters: r.Letters}[check]
	if of[1] == 0 {
		return ""
	}
	return fmt.Sprintf(", received from %s to %s UTC", clock(of[0]), clock(of[1]))
}

func verdict(t *ui.Terminal, l Line) string {
	switch {
	case l.Differences > 0:
		return t.Paint("31", fmt.Sprintf("%d differ", l.Differences))
	case l.Check != checkOffsets:
		return t.Paint("32", "OK")
	}
	return ""
}
