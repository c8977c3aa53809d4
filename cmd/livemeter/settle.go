package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/event"
)

// settle brings the pipeline to a stop at which the tables must be right, and compares them. The gateway ends first, so that nothing comes
// after; the collector ends when no view is open any more, so that the log stands still.
func (d *demo) settle(ctx context.Context, sent int64) (*ledger.Report, error) {
	adm, err := d.process.KafkaAdmin()
	if err != nil {
		return nil, err
	}
	defer adm.Close()
	d.stopInput()
	last := time.Now() // no event is newer
	if err := d.until(ctx, func() (string, error) { return d.views(ctx, adm, last) }); err != nil {
		return nil, err
	}
	d.stopFeed()
	if err := d.until(ctx, func() (string, error) { return d.drained(ctx, adm) }); err != nil {
		return nil, err
	}
	var truth *ledger.Truth
	var report *ledger.Report
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"folding what is closed", func() error { return d.store.RollAll(ctx) }},
		{"computing the ledger from the raw records", func() (err error) { truth, err = d.truth(ctx, adm, sent); return err }},
		{"comparing every row", func() (err error) {
			report, err = ledger.Compare(ctx, d.store.Conn(), truth, ledger.CompareOptions{Database: d.store.Database()})
			return err
		}},
	} {
		if err := d.during(step.what, step.do); err != nil {
			if ctx.Err() != nil {
				return nil, errInterrupted
			}
			return nil, err
		}
	}
	d.clear()
	return report, nil
}

var errInterrupted = errors.New("interrupted before the comparison was over")

// during shows that a step is still under way, and for how long.
func (d *demo) during(what string, do func() error) error {
	began, done := time.Now(), make(chan error, 1)
	go func() { done <- do() }()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	d.progress(what)
	for {
		select {
		case err := <-done:
			return err
		case <-again.C:
			d.progress(fmt.Sprintf("%s … %.0f s", what, time.Since(began).Seconds()))
		}
	}
}

// views says what is missing until every view is over.
func (d *demo) views(ctx context.Context, adm *kadm.Client, last time.Time) (string, error) {
	behind, err := service.Behind(ctx, adm, d.process)
	if err != nil {
		return "", err
	}
	if behind > 0 {
		return ui.Count(behind) + " raw records to go", nil
	}
	wm := service.Watermark(d.reader)
	if left := last.Add(service.ViewsClose).Sub(wm); left > 0 {
		if wm.IsZero() {
			return "no watermark yet", nil
		}
		return fmt.Sprintf("waiting for views to close … %.0f s", left.Seconds()), nil
	}
	return "", nil
}

// drained says what is missing until all that the collector wrote is in ClickHouse.
func (d *demo) drained(ctx context.Context, adm *kadm.Client) (string, error) {
	ok, why, err := d.reader.Drained(ctx)
	if err != nil || !ok {
		return why, err
	}
	behind, err := service.Behind(ctx, adm, d.process)
	if err == nil && behind > 0 {
		return fmt.Sprintf("%d rejected records to go", behind), nil
	}
	return "", err
}

// stuckAfter is how long the same may be missing before it is called a failure.
const stuckAfter = 2 * time.Minute

// until asks until nothing is missing, ctx ends, or the pipeline does.
func (d *demo) until(ctx context.Context, missing func() (string, error)) error {
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	said, since := "", time.Now()
	for {
		why, err := missing()
		if err != nil || why == "" {
			return err
		}
		if why != said {
			said, since = why, time.Now()
			d.progress(why)
		}
		if time.Since(since) > stuckAfter {
			return fmt.Errorf("the pipeline does not come to rest: for %v, %s", stuckAfter, why)
		}
		select {
		case <-ctx.Done():
			return errInterrupted
		case err := <-d.ended:
			return d.died(err)
		case <-again.C:
		}
	}
}

// progress shows what is waited for: in one line on a terminal, every five seconds elsewhere.
func (d *demo) progress(what string) {
	switch {
	case d.t.TTY:
		d.t.Frame([]string{what})
	case time.Since(d.told) >= 5*time.Second:
		d.told = time.Now()
		fmt.Fprintln(d.t, what)
	}
}

func (d *demo) clear() {
	if d.t.TTY {
		d.t.Frame(nil)
	}
}

// truth feeds the ledger with the raw records as Kafka has them, up to where the collector stopped: those of the generator, of earlier runs
// on the same directory, and of anybody who sent events of their own meanwhile. The generator's must all be among them.
func (d *demo) truth(ctx context.Context, adm *kadm.Client, sent int64) (*ledger.Truth, error) {
	l, err := ledger.New(ledger.Options{Zone: d.cfg.Zone})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	for t, name := range event.Arrivals {
		topic := d.cfg.Kafka.Prefix + name
		committed, err := service.Committed(ctx, adm, service.RawGroup(d.cfg, event.Topic(t)))
		if err != nil {
			return nil, err
		}
		if err := d.feed(ctx, l, topic, committed); err != nil {
			return nil, fmt.Errorf("read %s into the ledger: %w", topic, err)
		}
	}
	if n := l.Records(); n < sent {
		return nil, fmt.Errorf("kafka acknowledged %d records of the generator and has %d", sent, n)
	}
	truth, err := l.Finish()
	if errors.Is(err, ledger.ErrOrderUnknown) {
		err = fmt.Errorf("%w: does the directory hold events of other producers, by way of `up`? They are counted, but a comparison needs another --dir", err)
	}
	return truth, err
}

func (d *demo) feed(ctx context.Context, l *ledger.Ledger, topic string, until kadm.OffsetResponses) error {
	left := map[int32]int64{} // partition: offset to stop at
	offsets := map[int32]kgo.Offset{}
	until.Each(func(o kadm.OffsetResponse) {
		if o.Topic == topic && o.At > 0 {
			left[o.Partition], offsets[o.Partition] = o.At, kgo.NewOffset().AtStart()
		}
	})
	if len(left) == 0 {
		return nil
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(d.cfg.Kafka.Brokers...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}))
	if err != nil {
		return err
	}
	defer client.Close()
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			end, wanted := left[r.Partition]
			if !wanted || r.Offset >= end {
				return
			}
			l.Add(r.Topic, r.Partition, r.Offset, r.Key, r.Value, r.Timestamp.UnixMilli())
			if r.Offset == end-1 {
				delete(left, r.Partition)
			}
		})
	}
	return nil
}
