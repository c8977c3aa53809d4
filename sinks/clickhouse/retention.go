package clickhouse

import (
	"fmt"
	"strings"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// forever is the last day a Date can name.
const forever = "toDate('2149-06-06')"

// tableTTL is the TTL clause of a table with one retention, none for ever.
func tableTTL(days int, expr string) string {
	if days == 0 {
		return ""
	}
	return expiry(days, expr)
}

func expiry(days int, expr string) string {
	if days == 0 {
		return forever
	}
	return fmt.Sprintf("%s + toIntervalDay(%d)", expr, days+1)
}

// paneColumns hold the 10 s panes of minutes.
var (
	paneColumns = []string{"pane_at", "pane_value"}
	paneTypes   = map[string]string{"pane_at": "Array(UInt16)", "pane_value": "Array(Int64)"}
)

// paneTTL empties the panes of minutes that are kept for longer than they.
func paneTTL(days []int) string {
	panes, minutes := days[measure.Grain10s], days[measure.Grain1m]
	if panes == 0 || minutes != 0 && minutes <= panes {
		return ""
	}
	return expiry(panes, "toDate(window_start)")
}

// rowsTTL is one expression rather than one DELETE WHERE per grain: a part whose rows have all expired is dropped without being read.
// Days and months are rounded up so that a part is rewritten once a day or month and not at every check. Hours are kept for the days and
// sessions that are read from them. Tombstones go after a month, long after merges took what they hide. A session's peak row has no first event and counts from when it was written.
func rowsTTL(days []int) string {
	return "multiIf(grain = '1m', " + expiry(days[measure.Grain1m], "toDate(window_start)") +
		", deleted = 1, toStartOfMonth(updated_at) + toIntervalMonth(2)" +
		", grain = 'session', " + expiry(days[measure.GrainSession], "toStartOfMonth(least(toDateTime(first_event), inserted_at)) + toIntervalMonth(1)") +
		", grain = '1d', " + expiry(days[measure.Grain1d], "toStartOfMonth(window_start) + toIntervalMonth(1)") +
		", " + expiry(measure.HourDays(days), "toStartOfMonth(window_start) + toIntervalMonth(1)") + ")"
}

const (
	expires      = "; expires "
	panesExpires = "; panes expire "
)

// fullComment carries the retention in words that Apply can compare, since ClickHouse rewrites the expression itself.
func (t table) fullComment() string {
	out := t.comment
	if t.paneTTL != "" {
		out += panesExpires + t.paneTTL
	}
	if t.ttl != "" {
		out += expires + t.ttl
	}
	return out
}

// retentionChanges are the ALTERs that a table needs whose comment is this one.
func (t table) retentionChanges(comment string) []string {
	var out []string
	switch {
	case t.ttl != "":
		out = append(out, "MODIFY TTL "+t.ttl)
	case strings.Contains(comment, expires):
		out = append(out, "REMOVE TTL")
	}
	for _, name := range paneColumns {
		switch {
		case t.paneTTL != "":
			out = append(out, "MODIFY COLUMN "+name+" TTL "+t.paneTTL)
		case strings.Contains(comment, panesExpires):
			out = append(out, "MODIFY COLUMN "+name+" REMOVE TTL")
		}
	}
	return out
}
