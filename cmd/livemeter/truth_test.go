package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/bench/ledger"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// pipeline is livemeter as processes of their own on engines of this test, and the ledger of what was sent to it.
type pipeline struct {
	t         *testing.T
	brokers   []string
	prefix    string // of topics and groups
	addr, db  string // of ClickHouse
	config    string // file
	processes []*process
	book      *ledger.Ledger
}

func newPipeline(t *testing.T, brokers []string) *pipeline {
	t.Helper()
	p := &pipeline{t: t, brokers: brokers, prefix: testengine.Prefix(), config: filepath.Join(t.TempDir(), "livemeter.yaml")}
	p.addr, p.db = testengine.ClickHouse(t)
	yaml := fmt.Sprintf("kafka: {brokers: [%s], prefix: %s}\ntopics: {log_append_time: false}\nclickhouse: {addr: [%s], database: %s}\nadmin: {addr: 127.0.0.1:0}\n"+
		"pseudonym_key: %s\ncheckpoint_every: 1s\n", strings.Join(brokers, ", "), p.prefix, p.addr, p.db, strings.Repeat("5a", 16))
	if err := os.WriteFile(p.config, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	book, err := ledger.New(ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { book.Close() })
	p.book = book
	return p
}

// wirings are the two ways to run the same stages.
var wirings = map[string][]string{"run": {"run"}, "services": {"collector", "enricher", "aggregator"}}

func (p *pipeline) start(services ...string) {
	p.t.Helper()
	for _, s := range services {
		args := []string{s, "--config", p.config, "--instance-id", s + "-0"}
		if s == "run" {
			args = append(args, "--no-serve-gateway")
		}
		p.processes = append(p.processes, startProcess(p.t, args...))
	}
}

// festival sends events of a clock that lies in the past and runs faster than ours, so that no view is open when it has been read.
func (p *pipeline) festival(seed uint64, rate float64, events int64) festival.Stats {
	p.t.Helper()
	const faster = 10
	length := time.Duration(float64(events) / rate * faster * float64(time.Second))
	cfg := festival.Config{Seed: seed, Rate: rate / faster, Start: time.Now().Add(-length - time.Minute).Truncate(time.Second), Faults: true, Rooms: 60, Viewers: 3000, Prefix: p.prefix}
	stats, err := festival.Run(p.t.Context(), cfg, festival.RunOptions{Brokers: p.brokers, Rate: rate, Events: events, Ledger: p.book})
	if err != nil {
		p.t.Fatal(err)
	}
	return stats
}

// rest waits until every record has its outcome in ClickHouse and no view is open.
func (p *pipeline) rest(stats festival.Stats) {
	p.t.Helper()
	eventually(p.t, "the pipeline comes to rest", func() error {
		for _, one := range p.processes {
			if err := one.alive(); err != nil {
				p.t.Fatal(err)
			}
		}
		records, err := p.number("SELECT sum(records) FROM outcomes")
		if err != nil {
			return err
		}
		if records != stats.Acked {
			return fmt.Errorf("%d records have an outcome, %d were sent", records, stats.Acked)
		}
		ms, err := p.number("SELECT toUnixTimestamp64Milli(min(watermark)) FROM watermarks")
		if err != nil {
			return err
		}
		if left := stats.Now.Add(service.ViewsClose).Sub(time.UnixMilli(ms)); left > 0 {
			return fmt.Errorf("the watermark is %s behind", left)
		}
		return nil
	})
}

// ask queries ClickHouse. It may fail while no process has made the tables yet.
func (p *pipeline) ask(sql string) (string, error) {
	res, err := http.Post("http://"+p.addr+"/?database="+p.db, "text/plain", strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(string(out))
	}
	return string(out), err
}

// number is the answer to a query that has one number.
func (p *pipeline) number(sql string) (n int64, err error) {
	out, err := p.ask(sql)
	if err == nil {
		_, err = fmt.Sscan(out, &n)
	}
	return n, err
}

// compare waits for the last rows and the roller's cycle: equality must come and then stay.
func (p *pipeline) compare() {
	p.t.Helper()
	truth, err := p.book.Finish()
	if err != nil {
		p.t.Fatal(err)
	}
	p.equals(truth)
}

func (p *pipeline) equals(truth *ledger.Truth) {
	p.t.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{p.addr}, Protocol: clickhouse.HTTP, Auth: clickhouse.Auth{Database: p.db}})
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()
	deadline := time.Now().Add(3 * time.Minute) // on a busy machine the roller's cycles take long, and it rests in between
	again := time.NewTicker(2 * time.Second)
	defer again.Stop()
	for {
		report, err := ledger.Compare(context.Background(), conn, truth, ledger.CompareOptions{Database: p.db})
		if err != nil {
			p.t.Fatal(err)
		}
		if report.OK() {
			p.t.Logf("%d rows compared with the ledger of %d records", report.Total.Compared, truth.Records)
			return
		}
		if time.Now().After(deadline) {
			report.WriteTable(os.Stdout, false, false)
			p.t.Fatal("ClickHouse differs from the ledger")
		}
		<-again.C
	}
}

// TestTablesEqualTheLedgerThroughKills: in both wirings, on both brokers, every process is killed and started again in the middle of the
// stream, once it ends in order, and every measure, grain and table equals the ledger.
func TestTablesEqualTheLedgerThroughKills(t *testing.T) {
	t.Parallel()
	for broker, brokers := range map[string]func(*testing.T) []string{
		"embedded": func(t *testing.T) []string { return testengine.FakeKafka(t) },
		"apache":   func(t *testing.T) []string { return testengine.ApacheKafka(t) },
	} {
		for wiring, services := range wirings {
			t.Run(broker+"/"+wiring, func(t *testing.T) {
				t.Parallel()
				p := newPipeline(t, brokers(t))
				p.start(services...)
				seed := rand.Uint64()
				t.Logf("seed %d", seed)
				sent := make(chan festival.Stats, 1)
				go func() {
					defer close(sent)
					sent <- p.festival(seed, 4000, 80_000)
				}()
				stats, ok := p.killUntil(rand.New(rand.NewPCG(seed, 1)), sent)
				if !ok {
					return
				}
				p.rest(stats)
				p.compare()
				if code, r := p.audit(); code != exitOK {
					t.Errorf("audit: exit code %d, %q, %+v", code, r.Notes, r.Differences)
				}
				for _, one := range p.processes {
					one.stop()
				}
			})
		}
	}
}

// killUntil ends and starts the processes in turn until the festival is over: three times by SIGKILL, then once in order.
func (p *pipeline) killUntil(rnd *rand.Rand, sent chan festival.Stats) (stats festival.Stats, ok bool) {
	over := func(wait time.Duration) bool {
		select {
		case stats, ok = <-sent:
			return true
		case <-time.After(wait):
			return false
		}
	}
	for n := 0; !over(time.Second + time.Duration(rnd.Int64N(int64(2*time.Second)))); n++ {
		one := p.processes[n%len(p.processes)]
		if err := one.alive(); err != nil {
			p.t.Error(err)
		}
		if n%4 == 3 {
			one.stop()
		} else {
			one.kill()
		}
		ended := over(time.Duration(rnd.Int64N(int64(time.Second))))
		one.start()
		if ended {
			break
		}
	}
	return stats, ok
}
