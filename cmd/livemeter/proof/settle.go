package proof

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/deploy/embedded/child"
)

const (
	stuckAfter   = 2 * time.Minute // for that long the same may be missing
	compareEvery = 2 * time.Second // a comparison reads all rows
)

// settle waits until the tables must be right, compares them until they are or patience is over, and ends the workers in order.
func (r *run) settle(ctx context.Context, stats festival.Stats, truth *ledger.Truth) (compared bool, err error) {
	if err := r.until(ctx, stuckAfter, func(ctx context.Context) (string, error) { return r.restless(ctx, stats) }); err != nil {
		return false, err
	}
	lookFresh(ctx, r.workers)
	if r.Faster == 0 {
		r.report.fresh(r.fresh())
	}
	r.Now("folding what is closed")
	if err := service.RollAll(ctx, r.place.cfg, r.place.sink); err != nil {
		return false, err
	}
	deadline := time.Now().Add(r.Patience)
	for {
		if err := r.failed(); err != nil {
			return false, err
		}
		found, err := r.compare(ctx, truth)
		if err != nil {
			return false, err
		}
		if found.OK() || time.Now().After(deadline) {
			r.report.compared(found)
			r.Now("stopping the workers")
			return true, r.stopWorkers()
		}
		r.Now(fmt.Sprintf("%s rows are not equal yet; comparing again for %.0f s", ui.Count(differences(found.Total)), time.Until(deadline).Seconds()))
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(compareEvery):
		}
	}
}

func differences(c ledger.Counts) int64 { return c.Different + c.Missing + c.Extra }

func (r *run) compare(ctx context.Context, truth *ledger.Truth) (*ledger.Report, error) {
	r.Now("comparing every row with the ledger")
	found, err := ledger.Compare(ctx, r.place.sink.Conn(), truth, ledger.CompareOptions{Database: r.place.cfg.ClickHouse.Database})
	if err != nil {
		return nil, service.StoreError(r.place.cfg, err)
	}
	return found, nil
}

// restless is what is missing until every record has its outcome in ClickHouse and no view is open: watermarks are written after all rows before them.
func (r *run) restless(ctx context.Context, stats festival.Stats) (string, error) {
	var records, watermark int64
	for _, q := range []struct {
		to  *int64
		sql string
	}{
		{&records, "SELECT toInt64(sum(records)) FROM %s.outcomes"},
		{&watermark, "SELECT toUnixTimestamp64Milli(min(watermark)) FROM %s.watermarks"},
	} {
		if err := r.place.ask(ctx, q.to, fmt.Sprintf(q.sql, r.place.cfg.ClickHouse.Database)); err != nil {
			return "waiting for ClickHouse to answer: " + err.Error(), nil // it may come back
		}
	}
	if left := stats.Acked - records; left != 0 {
		return fmt.Sprintf("waiting for the pipeline to take the last records … %s", ui.Count(left)), nil
	}
	if watermark <= 0 {
		return "waiting for a watermark in every partition", nil
	}
	if left := stats.Now.Add(service.ViewsClose).Sub(time.UnixMilli(watermark)); left > 0 {
		return fmt.Sprintf("waiting for the last views to close … %.0f s", left.Seconds()), nil
	}
	return "", nil
}

// logs are the ends of the workers' logs.
func (r *run) logs() string {
	var b strings.Builder
	for _, w := range r.workers {
		fmt.Fprintf(&b, "log of %s, %s, ends:\n%s", w.name, w.log, child.Tail(w.log))
	}
	return b.String()
}
