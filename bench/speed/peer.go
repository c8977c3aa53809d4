package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
	"github.com/livemeter/livemeter/deploy/embedded/child"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

// clickHouseMain is a ClickHouse with the server settings of args: the peer wants more threads for Kafka than the library's two.
func clickHouseMain(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("clickhouse", flag.ContinueOnError)
	dir, addr := f.String("dir", "", ""), f.String("addr", "", "")
	if err := f.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	lib, err := engines.ClickHouse(ctx, nil)
	if err != nil {
		return err
	}
	l, err := chhttp.Listen(*addr, "-addr")
	if err != nil {
		return err
	}
	engine, err := chdb.Open(lib, *dir, f.Args()...)
	if err != nil {
		return err
	}
	handler, err := chhttp.New(engine, chhttp.Options{})
	if err != nil {
		return err
	}
	return chhttp.Serve(ctx, l, handler, time.Second)
}

// peerResult is ClickHouse's Kafka engine over the same topics.
type peerResult struct {
	events  int64
	cpu     time.Duration // until all was read and written
	rows    int64
	pool    int
	version string
}

// peerDDL is the peer tuned as far as we could: RawBLOB instead of JSONAsString (which stops for ever at the first malformed record, and costs
// a quarter more where it is told not to), the whole job in one materialized view that parses each record once: 10 s windows per room with views, distinct viewers, watch,
// interactions, orders, GMV and distinct buyers. One Kafka table reads all topics: a second one would share the threads with it.
const peerDDL = `
CREATE DATABASE peer;
CREATE TABLE peer.rooms (room_id LowCardinality(String), w DateTime, views SimpleAggregateFunction(sum, UInt64), viewers AggregateFunction(uniqExact, String),
  watch_ms SimpleAggregateFunction(sum, Int64), interactions SimpleAggregateFunction(sum, UInt64), orders AggregateFunction(uniqExact, String),
  gmv_minor SimpleAggregateFunction(sum, Int64), buyers AggregateFunction(uniqExact, String)) ENGINE = AggregatingMergeTree ORDER BY (room_id, w);
CREATE TABLE peer.queue (json String) ENGINE = Kafka SETTINGS kafka_broker_list = '{brokers}', kafka_topic_list = '{topics}', kafka_group_name = '{group}',
  kafka_format = 'RawBLOB', kafka_num_consumers = 2, kafka_thread_per_consumer = 1, kafka_max_block_size = 1048576, kafka_poll_max_batch_size = 65536;
CREATE MATERIALIZED VIEW peer.job TO peer.rooms AS
SELECT e.room_id AS room_id, toStartOfInterval(toDateTime(intDiv(e.client_ts, 1000)), toIntervalSecond(10)) AS w, countIf(e.action = 'enter') AS views,
  uniqExactStateIf(if(e.user_id != '', e.user_id, e.anon_id), e.type != 'order') AS viewers, sum(e.watch_ms_delta) AS watch_ms,
  countIf(e.type = 'interaction') AS interactions, uniqExactStateIf(e.order_id, e.state = 'paid') AS orders, sumIf(e.paid_minor, e.state = 'paid') AS gmv_minor,
  uniqExactStateIf(e.buyer_id, e.state = 'paid') AS buyers
FROM (SELECT JSONExtract(json, 'Tuple(type String, action String, room_id String, user_id String, anon_id String, client_ts Int64, watch_ms_delta Int64, order_id String, state String, paid_minor Int64, buyer_id String)') AS e FROM peer.queue)
WHERE e.client_ts > 0 GROUP BY room_id, w`

// peer lets ClickHouse read the topics by itself.
func (b *bed) peer(ctx context.Context, prefix string) (out peerResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	addr, err := freeAddr()
	if err != nil {
		return out, err
	}
	dir, err := os.MkdirTemp(b.dir, "peer-")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	exe, err := os.Executable()
	if err != nil {
		return out, err
	}
	p, err := background(b.dir, "peer", exe, "clickhouse", "--dir", dir, "--addr", addr, "--", "--background_message_broker_schedule_pool_size=16")
	if err != nil {
		return out, err
	}
	defer p.Kill()
	s := peerStore{p, addr, filepath.Base(dir)}
	if err := s.setUp(ctx, b, prefix); err != nil {
		return out, err
	}
	if out.events, err = recordsIn(ctx, b.kafka.Brokers(), peerTopics(prefix)); err != nil {
		return out, err
	}
	return out, s.follow(ctx, b, &out)
}

// peerTopics are those that its job needs.
func peerTopics(prefix string) []string { return rawTopics(prefix)[:3] }

type peerStore struct {
	*child.Process
	addr  string
	group string
}

func (s peerStore) setUp(ctx context.Context, b *bed, prefix string) error {
	for {
		if _, err := query(ctx, s.addr, "SELECT 1"); err == nil {
			break
		}
		select {
		case <-s.Done():
			return fmt.Errorf("the peer's ClickHouse ended: %s", child.Tail(logFile(b.dir, "peer")))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	ddl := strings.NewReplacer("{brokers}", strings.Join(b.kafka.Brokers(), ","), "{topics}", strings.Join(peerTopics(prefix), ","), "{group}", s.group).Replace(peerDDL)
	for _, sql := range strings.Split(ddl, ";") {
		if _, err := query(ctx, s.addr, sql); err != nil {
			return err
		}
	}
	return nil
}

// follow waits until the peer has committed everything that its topics hold.
func (s peerStore) follow(ctx context.Context, b *bed, out *peerResult) error {
	for done := int64(-1); done < out.events; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the peer has read %d of %d events: %w", done, out.events, ctx.Err())
		case <-s.Done():
			return errors.New("the peer's ClickHouse ended")
		case <-time.After(250 * time.Millisecond):
		}
		offsets, err := b.admin.FetchOffsets(ctx, s.group)
		if err != nil {
			continue // there is no such group yet; the context ends what lasts
		}
		done = 0
		offsets.Each(func(o kadm.OffsetResponse) { done += max(o.At, 0) })
	}
	var err error
	out.cpu, err = cpuOf(s.PID())
	if err != nil {
		return err
	}
	counts, err := query(ctx, s.addr, "SELECT (SELECT count() FROM peer.rooms FINAL), (SELECT value FROM system.metrics WHERE metric = 'BackgroundMessageBrokerSchedulePoolSize'), version()")
	if err == nil {
		_, err = fmt.Sscan(counts, &out.rows, &out.pool, &out.version)
	}
	return err
}
