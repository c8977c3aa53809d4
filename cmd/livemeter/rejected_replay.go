package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/rollup"
)

type rejectedReplayCmd struct {
	Records []string `arg:"" optional:"" placeholder:"TOPIC/PARTITION/OFFSET" help:"Which records, as list names them; or by the filters."`
	withConfig
	rejectedFilter
	All    bool `help:"All that is kept and valid now: without records and filters."`
	Again  bool `help:"Also what stands in raw.replay already: where the collectors had not got the fix by then. What was counted is not counted again."`
	DryRun bool `help:"Say what would be sent, and send nothing."`
}

func (rejectedReplayCmd) Help() string { return rejectedHelp }

func (c rejectedReplayCmd) Run(ctx context.Context, g global, s streams) error {
	where, args, err := c.meant(time.Now())
	if err != nil {
		return err
	}
	r, err := openRejected(ctx, c.withConfig, g, s)
	if err != nil {
		return err
	}
	defer r.close()
	p := &replaying{source: r, again: c.Again, dry: c.DryRun, dec: event.NewDecoder(), still: map[string]int64{}}
	err = ui.During(sayTo(s.err), p.doing, func() error {
		err := r.each(ctx, where, args, "received_ts, source_topic, source_partition, source_offset", true, func(row *rejectedRow) error { return p.take(ctx, row) })
		if err == nil {
			err = p.send(ctx)
		}
		return err
	})
	for _, l := range p.report() {
		fmt.Fprintln(s.out, l)
	}
	if err != nil {
		return fmt.Errorf("%w; to replay again counts nothing twice", err)
	}
	if p.seen == 0 {
		return errors.New("nothing is kept that is meant: livemeter rejected list shows what is")
	}
	return nil
}

// meant is the records and filters in SQL.
func (c rejectedReplayCmd) meant(now time.Time) (where string, args []any, err error) {
	if c.All == (len(c.Records) > 0 || c.any()) {
		return "", nil, usageError{errors.New("rejected replay: name records, or filters (--reason, --since, --until, --source), or --all")}
	}
	where, args, err = c.where(now)
	if err != nil || len(c.Records) == 0 {
		return where, args, err
	}
	var places []string
	for _, text := range c.Records {
		place, more, err := placeOf(text)
		if err != nil {
			return "", nil, err
		}
		places, args = append(places, place), append(args, more...)
	}
	return where + " AND (" + strings.Join(places, " OR ") + ")", args, nil
}

// replayBatch is how many records are sent before their acknowledgement is waited for.
const replayBatch = 500

// replaying is one replay and its counts.
type replaying struct {
	source     *rejectedSource
	again, dry bool
	dec        *event.Decoder
	batch      []rollup.Rejected

	seen, foreign, cut, before, invalid, valid int64
	still                                      map[string]int64 // by verdict
	sent                                       atomic.Int64
}

func (p *replaying) doing() string {
	return fmt.Sprintf("replaying, %s records acknowledged", ui.Count(p.sent.Load()))
}

func (p *replaying) take(ctx context.Context, row *rejectedRow) error {
	p.seen++
	v, ours := p.source.judge(p.dec, row)
	switch {
	case !ours:
		p.foreign++
	case row.cut:
		p.cut++
	case row.replayed && !p.again:
		p.before++
	case v.Reason != event.ReasonNone:
		p.invalid++
		p.still[verdictText(v)]++
	default:
		p.valid++
		if p.batch = append(p.batch, row.Rejected); len(p.batch) == replayBatch {
			return p.send(ctx)
		}
	}
	return nil
}

func (p *replaying) send(ctx context.Context) error {
	n := len(p.batch)
	if n == 0 {
		return nil
	}
	if !p.dry {
		if err := p.source.replayer.Send(ctx, p.batch); err != nil {
			return err
		}
		p.sent.Add(int64(n))
	}
	p.batch = p.batch[:0]
	return nil
}

func (p *replaying) report() (out []string) {
	line := func(n int64, text string) {
		if n > 0 {
			out = append(out, fmt.Sprintf("%9s  %s", ui.Count(n), text))
		}
	}
	line(p.seen, "rejected records looked at")
	if p.dry {
		line(p.valid, "valid now: they would be sent")
	} else {
		out = append(out, fmt.Sprintf("%9s  sent and acknowledged", ui.Count(p.sent.Load())))
		line(p.valid-p.sent.Load(), "valid now, and not known to be sent")
	}
	line(p.before, "skipped: replayed already (--again sends them once more)")
	line(p.invalid, "still invalid"+p.reasons())
	line(p.cut, "cut: not all of their bytes are kept, so they cannot be replayed")
	line(p.foreign, "no records of a raw topic that producers send to (of this --kafka-prefix)")
	return out
}

// reasons are those of what is still invalid, the most frequent first; of many the rest is left out.
func (p *replaying) reasons() string {
	lines := mostFrequent(p.still)
	if len(lines) > 5 {
		lines = append(lines[:5], "…")
	}
	return ": " + strings.Join(lines, ", ")
}

func mostFrequent(counts map[string]int64) (out []string) {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, k := range keys {
		out = append(out, fmt.Sprintf("%s (%s)", k, ui.Count(counts[k])))
	}
	return out
}
