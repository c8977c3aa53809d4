package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/pipeline/enrich"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// line is one pipeline: topics and a database of its own, two processes of each service, a festival and its ledger.
type line struct {
	w         *world
	wiring    string
	prefix    string
	processes []*process
	admins    map[string]string // address by process
	groups    map[string][]*process
	kafka     *kgo.Client
	store     *clickhouse.Sink
	book      *ledger.Ledger
	truth     *ledger.Truth // of the book, once it is closed
	stats     festival.Stats
	sent      atomic.Int64
	report    *ledger.Report
}

func (w *world) newLine(ctx context.Context, wiring string) (*line, error) {
	l := &line{w: w, wiring: wiring, prefix: wiring + ".", admins: map[string]string{}, groups: map[string][]*process{}}
	var err error
	if l.kafka, err = kgo.NewClient(kgo.SeedBrokers(w.cluster.Brokers()...)); err != nil {
		return nil, err
	}
	if l.store, err = clickhouse.New(clickhouse.Config{Addr: []string{w.store}, Database: wiring}, nil, nil); err != nil {
		return nil, err
	}
	if l.book, err = ledger.New(ledger.Options{}); err != nil {
		return nil, err
	}
	if err := runtime.EnsureTopics(ctx, kadm.NewClient(l.kafka), runtime.TopicSpec{Prefix: l.prefix, RawCreateTime: true}); err != nil {
		return nil, err
	}
	yaml := fmt.Sprintf("kafka: {brokers: [%s], prefix: %s}\ntopics: {log_append_time: false}\nclickhouse: {addr: [%s], database: %s}\npseudonym_key: %s\ncheckpoint_every: 2s\ndedupe: %s\n",
		w.brokerList(), l.prefix, w.store, wiring, strings.Repeat("5a", 16), w.dedupe())
	config := w.file(wiring + ".yaml")
	if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
		return nil, err
	}
	for _, service := range wirings[wiring] {
		for i := range 2 {
			name, admin := fmt.Sprint(service, "-", i+1), w.port()
			args := []string{service, "--config", config, "--admin-addr", admin}
			if service == "run" {
				args = append(args, "--no-serve-gateway")
			}
			if i == 0 && w.o.static {
				args = append(args, "--instance-id", name)
			}
			p := w.livemeter(name, args...)
			l.processes, l.admins[name] = append(l.processes, p), admin
			l.groups[service] = append(l.groups[service], p)
		}
	}
	return l, nil
}

// dedupe is how long event ids are remembered. Where the clock of the events is not ours, a source that is idle in an outage moves the watermark to our
// time, hours ahead of what comes after it: DESIGN.md (Limits) says of such records that their ids want a longer memory.
func (w *world) dedupe() time.Duration {
	if w.o.faster > 1 {
		return 10*time.Minute + 2*time.Duration(float64(w.o.length)*w.o.faster)
	}
	return 10 * time.Minute
}

func (l *line) close() {
	l.kafka.Close()
	_ = l.store.Close()
	_ = l.book.Close()
}

// generate sends events until ctx is done, and returns when all that was sent is acknowledged and in the ledger: the client sends a record again for
// as long as there is no answer, and as an idempotent producer that leaves it in the topic once. Where Kafka can't promise that, the client stops with an error.
func (l *line) generate(ctx context.Context) error {
	cfg := festival.Config{Seed: l.w.o.seed, Rate: l.w.o.rate / l.w.o.faster, Faults: true, Rooms: 60, Viewers: 3000, Prefix: l.prefix}
	if l.w.o.faster > 1 { // it ends in the past, so that no view is open when it has been read
		cfg.Start = time.Now().Add(-time.Duration(float64(l.w.o.length)*l.w.o.faster) - time.Minute).Truncate(time.Second)
	}
	stats, err := festival.Run(ctx, cfg, festival.RunOptions{Brokers: l.w.cluster.Brokers(), Rate: l.w.o.rate, Ledger: l.book, Grace: 2 * time.Minute,
		Progress: func(s festival.Stats) { l.sent.Store(s.Acked) },
		Client:   []kgo.Opt{kgo.StopProducerOnDataLossDetected(), kgo.ProduceRequestTimeout(5 * time.Second), kgo.RequestTimeoutOverhead(2 * time.Second)}})
	if err != nil {
		return err
	}
	l.stats = stats
	there, err := recordsIn(context.WithoutCancel(ctx), l.kafka, festival.Topics(l.prefix)...)
	if err == nil && there != stats.Acked {
		err = fmt.Errorf("%s: %d records are in the raw topics, %d were acknowledged: the ledger is not the truth", l.wiring, there, stats.Acked)
	}
	return err
}

// recordsIn is how many records topics hold from which none was removed.
func recordsIn(ctx context.Context, client *kgo.Client, topics ...string) (n int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topics...)
	if err == nil {
		err = ends.Error()
	}
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n, err
}

// rest waits until every record has its outcome in ClickHouse and no view is open.
func (l *line) rest(ctx context.Context) error {
	return l.until(ctx, "come to rest", func() error {
		records, err := l.number(ctx, "SELECT toInt64(sum(records)) FROM "+l.wiring+".outcomes")
		if err == nil && records != l.stats.Acked {
			err = fmt.Errorf("%d records have an outcome, %d were sent", records, l.stats.Acked)
		}
		if err != nil {
			return err
		}
		ms, err := l.number(ctx, "SELECT toInt64(toUnixTimestamp64Milli(min(watermark))) FROM "+l.wiring+".watermarks")
		if left := l.stats.Now.Add(enrich.ViewCloses + time.Second).Sub(time.UnixMilli(ms)); err == nil && left > 0 {
			err = fmt.Errorf("the watermark is %s behind", left.Round(time.Second))
		}
		return err
	})
}

// compare waits for the last rows and the roller's cycle: equality must come. It leaves the last report.
func (l *line) compare(ctx context.Context) (err error) {
	if l.truth == nil {
		if l.truth, err = l.book.Finish(); err != nil {
			return err
		}
	}
	return l.until(ctx, "be equal", func() (err error) {
		l.report, err = ledger.Compare(ctx, l.store.Conn(), l.truth, ledger.CompareOptions{Database: l.wiring})
		if err == nil && !l.report.OK() {
			t := l.report.Total
			err = fmt.Errorf("%w: of %d rows %d differ, %d are missing, %d extra", errDiffers, t.Compared, t.Different, t.Missing, t.Extra)
		}
		return err
	})
}

// until asks again and again, and gives up with what is missing and how the processes see it.
func (l *line) until(ctx context.Context, what string, missing func() error) error {
	began := time.Now()
	again, tell := time.NewTicker(time.Second), time.NewTicker(10*time.Second)
	defer again.Stop()
	defer tell.Stop()
	for {
		err := missing()
		if err == nil {
			return nil
		}
		if time.Since(began) > l.w.o.drain {
			return fmt.Errorf("%s does not %s within %s: %w\n%s", l.wiring, what, l.w.o.drain, err, l.ready())
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tell.C:
			l.w.say("%s is to %s: %v", l.wiring, what, err)
		case <-again.C:
		}
	}
}

// number is the answer to a query that has one number.
func (l *line) number(ctx context.Context, sql string) (n int64, err error) {
	err = l.store.Conn().QueryRow(ctx, sql).Scan(&n)
	return n, err
}

// ready is what the processes say of themselves.
func (l *line) ready() string {
	var b strings.Builder
	client := http.Client{Timeout: 5 * time.Second}
	for _, p := range l.processes {
		fmt.Fprintf(&b, "%s: ", p.name)
		res, err := client.Get("http://" + l.admins[p.name] + "/readyz")
		if err != nil {
			fmt.Fprintln(&b, err)
			continue
		}
		text, _ := io.ReadAll(res.Body) // what there is of it
		res.Body.Close()
		fmt.Fprintln(&b, res.Status, strings.TrimSpace(string(text)))
	}
	return b.String()
}
