package proof

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
)

// Report is what a proof has found. Its JSON is that of --json.
type Report struct {
	Equal       bool     `json:"equal"`
	ID          string   `json:"id"`
	Prefix      string   `json:"kafka_prefix"`
	Database    string   `json:"clickhouse_database"`
	Kafka       string   `json:"kafka"`
	ClickHouse  string   `json:"clickhouse"`
	Wiring      string   `json:"wiring"`
	Seed        uint64   `json:"seed"`
	Rate        float64  `json:"rate"`
	Events      int64    `json:"events"`
	Seconds     float64  `json:"seconds_of_load"`
	Chaos       bool     `json:"chaos"`
	Kills       int      `json:"kills"`
	Suspensions int      `json:"suspensions"`
	Fresh       *Fresh   `json:"freshness,omitempty"`
	Tables      []Table  `json:"tables"`
	Compared    int64    `json:"rows_compared"`
	Different   int64    `json:"rows_different"`
	Missing     int64    `json:"rows_missing"`
	Extra       int64    `json:"rows_extra"`
	Differences []string `json:"differences,omitempty"` // the first of each measure
	Untried     string   `json:"not_exercised,omitempty"`
	Took        float64  `json:"seconds"`

	found *ledger.Report
}

// Fresh is how long it took from an event to its row, as the workers' metrics have it.
type Fresh struct {
	P50     float64 `json:"p50_seconds"`
	P99     float64 `json:"p99_seconds"`
	Samples int64   `json:"log_records"`
	Behind  int64   `json:"log_records_behind"` // not among them: their partition was catching up
}

// Table is the comparison of one table, in whole rows.
type Table struct {
	Name      string `json:"table"`
	Compared  int64  `json:"compared"`
	Equal     int64  `json:"equal"`
	Different int64  `json:"different"`
	Missing   int64  `json:"missing"`
	Extra     int64  `json:"extra"`
}

// servers asks what this runs against.
func (r *Report) servers(ctx context.Context, p *place) error {
	brokers, err := p.adm.ListBrokers(ctx)
	if err != nil {
		return fmt.Errorf("ask Kafka for its brokers: %w", err)
	}
	versions, err := p.adm.ApiVersions(ctx)
	if err != nil {
		return fmt.Errorf("ask Kafka's brokers for their versions: %w", err)
	}
	var addrs, guesses []string
	for _, b := range brokers {
		addrs = append(addrs, fmt.Sprintf("%s:%d", b.Host, b.Port))
		v := versions[b.NodeID]
		guess := "of unknown version"
		if v.Err == nil {
			guess = v.VersionGuess()
		}
		if !slices.Contains(guesses, guess) {
			guesses = append(guesses, guess)
		}
	}
	r.Kafka = fmt.Sprintf("%s (%s)", strings.Join(addrs, ","), strings.Join(guesses, ", "))
	var version string
	if err := p.ask(ctx, &version, "SELECT version()"); err != nil {
		return service.StoreError(p.cfg, err)
	}
	r.ClickHouse = fmt.Sprintf("%s (%s)", strings.Join(p.cfg.ClickHouse.Addr, ","), version)
	return nil
}

func (r *Report) fresh(s samples) {
	if s.count() > 0 {
		r.Fresh = &Fresh{s.quantile(.5).Seconds(), s.quantile(.99).Seconds(), s.count(), int64(s.behind)}
	}
}

func (r *Report) compared(found *ledger.Report) {
	r.found, r.Equal, r.Untried = found, found.OK(), found.Unexercised()
	r.Compared, r.Different, r.Missing, r.Extra = found.Total.Compared, found.Total.Different, found.Total.Missing, found.Total.Extra
	for _, t := range found.Tables {
		r.Tables = append(r.Tables, Table{t.Table, t.Compared, t.Equal, t.Different, t.Missing, t.Extra})
	}
	for _, l := range found.Lines {
		for _, d := range l.Differences {
			r.Differences = append(r.Differences, l.Table+"."+l.Measure+": "+d)
		}
	}
}

// Write prints the report for people.
func (r *Report) Write(t *ui.Terminal) error {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", what, fmt.Sprintf(format, args...))
	}
	line("Kafka", "%s", r.Kafka)
	line("ClickHouse", "%s", r.ClickHouse)
	line("workers", "%s", map[string]string{"run": "2 × run", "services": "collector, enricher, aggregator"}[r.Wiring])
	line("stream", "%s events in %s, seed %d, with duplicates, disorder, wrong clocks and malformed records", ui.Count(r.Events), ui.Age(duration(r.Seconds)), r.Seed)
	if r.Chaos {
		line("faults", "%d × SIGKILL, %d × SIGSTOP for up to 20 s, then SIGCONT (a session of the groups is 10 s)", r.Kills, r.Suspensions)
	}
	if f := r.Fresh; f != nil {
		line("event to row", "half within %s, 99 %% within %s (%s log records; %s more came while a partition was catching up)", ui.Age(duration(f.P50)), ui.Age(duration(f.P99)), ui.Count(f.Samples), ui.Count(f.Behind))
	}
	var rows [][]string
	for _, x := range r.Tables {
		rows = append(rows, []string{x.Name, ui.Count(x.Compared), ui.Count(x.Equal), ui.Count(x.Different), ui.Count(x.Missing), ui.Count(x.Extra)})
	}
	columns := []ui.Column{{Title: "table"}}
	for _, title := range []string{"rows compared", "equal", "different", "missing", "extra"} {
		columns = append(columns, ui.Column{Title: title, Right: true})
	}
	b.WriteString(strings.Join(t.Table(columns, rows), "\n") + "\n")
	for _, d := range r.Differences {
		fmt.Fprintln(&b, d)
	}
	if r.Untried != "" {
		fmt.Fprintln(&b, r.Untried)
	}
	took := duration(r.Took).Round(time.Second)
	if r.Equal {
		fmt.Fprintln(&b, t.Paint("1;32", fmt.Sprintf("all %s rows equal the ledger, after %s", ui.Count(r.Compared), took)))
	} else {
		fmt.Fprintln(&b, t.Paint("1;31", fmt.Sprintf("NOT EQUAL: of %s rows %s differ, %s are missing, %s are extra, after %s", ui.Count(r.Compared), ui.Count(r.Different), ui.Count(r.Missing), ui.Count(r.Extra), took)))
	}
	_, err := io.WriteString(t, b.String())
	return err
}

func duration(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
