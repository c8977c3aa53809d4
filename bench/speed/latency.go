package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/deploy/embedded/child"
)

const (
	probeWarmUp = 15 * time.Second
	probeFor    = 40 * time.Second
	probeEvery  = 100 * time.Millisecond
	probePoll   = 20 * time.Millisecond
	probeLost   = 30 * time.Second
)

// latencyResult is how long events took to be visible in room_measures.
type latencyResult struct {
	rate       int
	delays     []time.Duration // from the probe's timestamp to the answer that shows it, sorted
	asked      []time.Duration // the same to when that answer was asked for, sorted: what was visible later is not in it
	lost       int             // not visible within probeLost
	looks      []time.Duration // what ClickHouse took to answer, sorted
	cores      map[string]float64
	rowsPerSec float64
}

func (r latencyResult) quantile(q float64) time.Duration {
	if len(r.delays) == 0 {
		return probeLost
	}
	return quantile(r.delays, q)
}

// quantile of some that are sorted; 0 of none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// latency sends probes, each into a room of its own, into a steady stream of events, and polls ClickHouse for them.
func (b *bed) latency(ctx context.Context, rate int) (out latencyResult, err error) {
	prefix := fmt.Sprintf("live%d.", rate)
	if err := b.topics(ctx, prefix); err != nil {
		return out, err
	}
	s, err := b.store(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	p, err := b.pipeline(prefix, s)
	if err != nil {
		return out, err
	}
	defer p.Kill()
	generator, err := background(b.dir, "generate", b.o.livemeter, "generate", "--kafka-brokers", strings.Join(b.kafka.Brokers(), ","), "--kafka-prefix", prefix,
		"--topics-log-append-time=false", "--topics-replication", "1", "--topics-retention", "0", "--events-retention", "0",
		"--rate", strconv.Itoa(rate), "--viewers", strconv.Itoa(b.o.viewers), "--rooms", strconv.Itoa(b.o.rooms), "--seed", strconv.FormatUint(b.o.seed, 10))
	if err != nil {
		return out, err
	}
	defer generator.Kill()
	b.say("latency at %d events/s: %s to warm up, then probes for %s", rate, probeWarmUp, probeFor)
	if err := sleep(ctx, probeWarmUp); err != nil {
		return out, err
	}
	cores := b.cores(map[string]int{"run": p.PID(), "ClickHouse": s.PID(), "generator": generator.PID(), "Kafka": b.kafka.PID()})
	began := time.Now()
	before, err := p.scrape(ctx)
	if err != nil {
		return out, fmt.Errorf("livemeter run: %w\n%s", err, child.Tail(p.log))
	}
	pr := probes{bed: b, prefix: prefix, store: s.Addr(), sent: map[string]time.Time{}}
	out, err = pr.run(ctx)
	if err != nil {
		return out, err
	}
	after, err := p.scrape(ctx)
	out.rate, out.cores = rate, cores()
	out.rowsPerSec = (after["livemeter_clickhouse_rows_total"] - before["livemeter_clickhouse_rows_total"]) / time.Since(began).Seconds()
	return out, err
}

// cores starts to count the CPU time of processes; what it returns tells how many cores each has taken since.
func (b *bed) cores(pids map[string]int) func() map[string]float64 {
	began := time.Now()
	read := func() map[string]time.Duration {
		out := map[string]time.Duration{}
		for name, pid := range pids {
			out[name], _ = cpuOf(pid) // a process that is gone shows as a negative number
		}
		return out
	}
	before := read()
	return func() map[string]float64 {
		out := map[string]float64{}
		for name, cpu := range read() {
			out[name] = (cpu - before[name]).Seconds() / time.Since(began).Seconds()
		}
		return out
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// probes are events that nobody else sends. They leave on time however long an answer of ClickHouse takes: a slow store must not keep the
// probes away that would show how slow it is.
type probes struct {
	*bed
	prefix, store string

	mu   sync.Mutex
	sent map[string]time.Time // by room, not visible yet
}

func (p *probes) run(ctx context.Context) (out latencyResult, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(p.kafka.Brokers()...), kgo.ProducerLinger(0), kgo.DefaultProduceTopic(p.prefix+"raw.viewer"))
	if err != nil {
		return out, err
	}
	defer client.Close()
	sending := make(chan struct{})
	go func() {
		defer close(sending)
		p.sendAll(ctx, client)
	}()
	for rest := probePoll; ; {
		if err := sleep(ctx, rest); err != nil {
			return out, err
		}
		asked := time.Now()
		left, err := p.look(ctx, &out)
		if err != nil {
			return out, err
		}
		rest = max(probePoll, time.Since(asked)) // who looks takes half a core at most from what is looked at
		select {
		case <-sending:
			if left > 0 {
				continue
			}
		default:
			continue
		}
		break
	}
	slices.Sort(out.delays)
	slices.Sort(out.asked)
	slices.Sort(out.looks)
	return out, nil
}

func (p *probes) sendAll(ctx context.Context, client *kgo.Client) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for n := range int(probeFor / probeEvery) {
		now := time.Now()
		room := fmt.Sprintf("probe_%d_%d", os.Getpid(), n)
		value := fmt.Appendf(nil, `{"event_id":"%s","schema_version":"1-0-0","type":"viewer","platform":"douyin","room_id":"%[1]s","live_session_id":"s","user_id":"%[1]s",`+
			`"view_id":"%[1]s","sdk_instance_id":"%[1]s","seq":1,"client_ts":%[2]d,"sent_ts":%[2]d,"action":"enter"}`, room, now.UnixMilli())
		p.mu.Lock()
		p.sent[room] = now
		p.mu.Unlock()
		client.Produce(ctx, &kgo.Record{Key: []byte(room), Value: value, Timestamp: now}, nil)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look asks for all probes that are out, and says how many still are.
func (p *probes) look(ctx context.Context, out *latencyResult) (left int, err error) {
	rooms := p.waiting()
	if len(rooms) == 0 {
		return 0, nil
	}
	asked := time.Now()
	got, err := query(ctx, p.store, "SELECT room_id FROM livemeter.room_measures WHERE grain = '1m' AND window_start > now() - 180 AND platform = 'douyin' AND room_id IN ("+
		strings.Join(rooms, ", ")+") AND views = 1 SETTINGS max_threads = 1")
	if err != nil {
		return 0, err
	}
	now := time.Now()
	out.looks = append(out.looks, now.Sub(asked))
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, room := range strings.Fields(got) {
		out.delays = append(out.delays, now.Sub(p.sent[room]))
		out.asked = append(out.asked, asked.Sub(p.sent[room]))
		delete(p.sent, room)
	}
	for room, at := range p.sent {
		if now.Sub(at) > probeLost {
			out.lost++
			out.delays = append(out.delays, probeLost)
			delete(p.sent, room)
		}
	}
	return len(p.sent), nil
}

// waiting are the quoted rooms of the probes that are out.
func (p *probes) waiting() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	rooms := make([]string, 0, len(p.sent))
	for room := range p.sent {
		rooms = append(rooms, "'"+room+"'")
	}
	return rooms
}
