package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/child"
)

// pipeline is `livemeter run`, or one service of it, in a process of its own.
type pipeline struct {
	*child.Process
	admin string
	log   string
}

func (b *bed) pipeline(prefix string, s *store) (*pipeline, error) {
	return b.service("run", prefix, s, strings.Fields(b.o.runFlags)...)
}

func (b *bed) service(name, prefix string, s *store, more ...string) (*pipeline, error) {
	admin, err := freeAddr()
	if err != nil {
		return nil, err
	}
	args := append([]string{name, "--admin-addr", admin, "--kafka-brokers", strings.Join(b.kafka.Brokers(), ","), "--kafka-prefix", prefix,
		"--topics-log-append-time=false", "--topics-replication", "1", "--topics-retention", "0", "--events-retention", "0",
		"--clickhouse-addr", s.Addr(), "--log-level", "warn"}, more...)
	if name == "run" {
		args = append(args, "--no-serve-gateway")
	}
	p, err := background(b.dir, name, b.o.livemeter, args...)
	if err != nil {
		return nil, err
	}
	return &pipeline{p, admin, logFile(b.dir, name)}, nil
}

func (p *pipeline) close() error { return p.Stop(20 * time.Second) }

// scrape reads /metrics, each metric with its labels, and added up over them.
func (p *pipeline) scrape(ctx context.Context) (map[string]float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // compressing an answer four times a second is a hundredth of what run takes
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	out := map[string]float64{}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			continue
		}
		name, _, labelled := strings.Cut(line[:at], "{")
		out[name] += v
		if labelled {
			out[line[:at]] = v
		}
	}
	return out, nil
}

// drained waits until events have their outcome and no row is unacknowledged, asking as seldom as is useful: each answer costs CPU time.
func (p *pipeline) drained(ctx context.Context, events int64) (map[string]float64, error) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		m, err := p.scrape(ctx)
		if err == nil && int64(m["livemeter_reader_outcomes_total"]) >= events && m["livemeter_reader_dirty_cells"] == 0 {
			return m, nil
		}
		select {
		case <-p.Done():
			return nil, fmt.Errorf("livemeter run ended (%w); the end of %s:\n%s", p.Err(), p.log, child.Tail(p.log))
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}
