package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/deploy/embedded"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
	"github.com/livemeter/livemeter/deploy/embedded/kafka"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// pseudonymKey of all processes of a run. Nothing but speed depends on it.
const pseudonymKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// bed is what a measurement stands on: a broker, and a ClickHouse whenever one is wanted.
type bed struct {
	o      options
	dir    string
	kafka  *kafka.Apache
	client *kgo.Client
	admin  *kadm.Client
	loaded bool // the backlog is there
	say    func(format string, args ...any)
}

func newBed(ctx context.Context, o options) (*bed, error) {
	b := &bed{o: o, dir: o.dir, say: func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
	}}
	progress := func(m string) { b.say("%s", m) }
	if _, err := engines.ClickHouse(ctx, progress); err != nil {
		return nil, err
	}
	lib, err := engines.Kafka(ctx, progress)
	if err != nil {
		return nil, err
	}
	if b.dir == "" {
		if b.dir, err = os.MkdirTemp("", "livemeter-speed-"); err != nil {
			return nil, err
		}
	}
	if b.kafka, err = kafka.StartApache(ctx, lib, filepath.Join(b.dir, "kafka"), "127.0.0.1:0", kafka.ApacheOptions{}); err != nil {
		return nil, errors.Join(err, b.close())
	}
	if b.client, err = kgo.NewClient(kgo.SeedBrokers(b.kafka.Brokers()...)); err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.admin = kadm.NewClient(b.client)
	return b, nil
}

func (b *bed) close() error {
	var err error
	if b.client != nil {
		b.client.Close()
	}
	if b.kafka != nil {
		err = b.kafka.Close()
	}
	if b.o.dir == "" && b.dir != "" {
		err = errors.Join(err, os.RemoveAll(b.dir))
	}
	return err
}

// topics makes the topics of a prefix as demo does: the producer's timestamp is the receive time.
func (b *bed) topics(ctx context.Context, prefix string) error {
	return b.topicsOf(ctx, prefix, 0)
}

// topicsOf makes them with another number of partitions of events than the usual one.
func (b *bed) topicsOf(ctx context.Context, prefix string, partitions int32) error {
	return runtime.EnsureTopics(ctx, b.admin, runtime.TopicSpec{Prefix: prefix, Replication: 1, RawCreateTime: true,
		RawRetention: runtime.Forever, EventsPartitions: partitions, EventsRetention: runtime.Forever})
}

// load fills the raw topics of a prefix.
func (b *bed) load(ctx context.Context, prefix string, cfg festival.Config, events int64) (festival.Stats, error) {
	if err := b.topics(ctx, prefix); err != nil {
		return festival.Stats{}, err
	}
	cfg.Prefix, cfg.Seed, cfg.Faults = prefix, b.o.seed, true
	b.say("generating %d events of %d rooms and %d viewers", events, cfg.Rooms, cfg.Viewers)
	stats, err := festival.Run(ctx, cfg, festival.RunOptions{Brokers: b.kafka.Brokers(), Events: events})
	if err == nil && stats.Acked != events {
		err = fmt.Errorf("load: %d of %d events are in Kafka", stats.Acked, events)
	}
	return stats, err
}

// forget removes what the pipeline made of the raw topics, so that they can be read again from the start as if for the first time.
func (b *bed) forget(ctx context.Context, prefix string) error {
	groups, err := b.admin.ListGroups(ctx)
	if err != nil {
		return err
	}
	var ours []string
	for _, g := range groups.Groups() {
		if strings.HasPrefix(g, prefix) {
			ours = append(ours, g)
		}
	}
	if _, err := b.admin.DeleteGroups(ctx, ours...); err != nil {
		return err
	}
	derived := []string{runtime.TopicEvents, runtime.TopicEnriched, runtime.TopicRejected, runtime.ChangelogRun, runtime.ChangelogEnricher, runtime.ChangelogAggregator}
	for i, t := range derived {
		derived[i] = prefix + t
	}
	if _, err := b.admin.DeleteTopics(ctx, derived...); err != nil {
		return err
	}
	if err := b.gone(ctx, derived); err != nil {
		return err
	}
	return b.topics(ctx, prefix)
}

// gone waits until the broker knows that topics were deleted: while it still lists them nobody would make them again.
func (b *bed) gone(ctx context.Context, topics []string) error {
	for {
		have, err := b.admin.ListTopics(ctx)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(topics, func(t string) bool { return have.Has(t) }) {
			return nil
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// drop removes all topics of a prefix: disk is not endless.
func (b *bed) drop(ctx context.Context, prefix string) error {
	topics, err := b.admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	var ours []string
	for _, t := range topics.Names() {
		if strings.HasPrefix(t, prefix) {
			ours = append(ours, t)
		}
	}
	_, err = b.admin.DeleteTopics(ctx, ours...)
	return err
}

// store is a ClickHouse in a process of its own, on an empty directory.
type store struct {
	*embedded.ClickHouseProcess
	dir string
}

func (b *bed) store(ctx context.Context) (*store, error) {
	dir, err := os.MkdirTemp(b.dir, "clickhouse-")
	if err != nil {
		return nil, err
	}
	p, err := embedded.StartClickHouseProcess(ctx, b.o.livemeter, dir, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &store{p, dir}, nil
}

func (s *store) close() error { return errors.Join(s.Close(), os.RemoveAll(s.dir)) }

// query runs a statement and returns its result in TabSeparated.
func query(ctx context.Context, addr, sql string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/", strings.NewReader(sql))
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("clickhouse: %s: %s", res.Status, out)
	}
	return string(out), err
}

// freeAddr is an address on loopback that nobody listens on now.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
