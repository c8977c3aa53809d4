package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Sink writes batches to ClickHouse. It is safe for concurrent use.
type Sink struct {
	cfg   Config
	conn  driver.Conn
	log   *zap.Logger
	m     *metrics
	logID uuid.UUID // of the topic events that EnsureEpoch was asked for
}

var _ rollup.Sink = (*Sink)(nil)

// New opens a pool of connections. It does not wait for the server: Ping, Apply and Write do. reg and log may be nil.
func New(cfg Config, log *zap.Logger, reg prometheus.Registerer) (*Sink, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	opts := &ch.Options{
		Addr:     cfg.Addr,
		Protocol: ch.HTTP,
		// Not the database: it may be missing still, and every statement names it.
		Auth:         ch.Auth{Username: cfg.User, Password: cfg.Password},
		TLS:          cfg.TLS,
		DialTimeout:  cfg.DialTimeout,
		MaxOpenConns: cfg.Parallel + 4,
		MaxIdleConns: cfg.Parallel + 4,
	}
	if cfg.Protocol == Native {
		opts.Protocol = ch.Native
	}
	if cfg.Compression == "lz4" {
		opts.Compression = &ch.Compression{Method: ch.CompressionLZ4}
	}
	conn, err := ch.Open(opts)
	if err != nil {
		return nil, fmt.Errorf("clickhouse: open %v: %w", cfg.Addr, err)
	}
	if log == nil {
		log = zap.NewNop()
	}
	return &Sink{cfg: cfg, conn: conn, log: log, m: newMetrics(reg)}, nil
}

// Conn is the pool, for queries of the same process.
func (s *Sink) Conn() driver.Conn { return s.conn }

// Database is the configured one.
func (s *Sink) Database() string { return s.cfg.Database }

// Ping asks the server whether it is there.
func (s *Sink) Ping(ctx context.Context) error {
	if err := s.conn.Ping(ctx); err != nil {
		return fmt.Errorf("clickhouse: ping %v: %w", s.cfg.Addr, s.cause(err))
	}
	return nil
}

// Close closes the connections. No Write may be running.
func (s *Sink) Close() error { return s.conn.Close() }

// Write stores a batch: one INSERT per table, more only where its rows exceed a block or lie in more of the table's partitions than one INSERT takes. Watermarks go last: who reads one finds the
// rows before it. On nil everything is durable as far as the server's own settings go.
func (s *Sink) Write(ctx context.Context, b *rollup.Batch) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(s.cfg.Parallel)
	var errs []error
	add := func(ins []*insert, err error) {
		if err != nil {
			errs = append(errs, err)
			return
		}
		for _, in := range ins {
			g.Go(func() error { return s.insert(gctx, in) })
		}
	}
	for _, c := range b.Cells {
		add(s.cellInserts(b.Epoch, c))
	}
	add(s.orderInserts(b.Epoch, b.Orders), nil)
	add(s.outcomeInserts(b.Epoch, b.Outcomes), nil)
	add(s.completenessInserts(b.Epoch, b.Completeness), nil)
	if err := errors.Join(append(errs, g.Wait())...); err != nil {
		return err
	}
	for _, in := range watermarkInserts(b.Epoch, b.Watermarks) {
		if err := s.insert(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// WriteRejected stores invalid records. Writing one again changes nothing.
func (s *Sink) WriteRejected(ctx context.Context, rs []rollup.Rejected) error {
	for _, in := range s.rejectedInserts(rs) {
		if err := s.insert(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// insert stores one block in one table, with retries.
func (s *Sink) insert(ctx context.Context, in *insert) error {
	start := time.Now()
	err := s.retry(ctx, in.table, func(ctx context.Context) error {
		start = time.Now()
		return s.send(ctx, in)
	})
	if err != nil {
		return err
	}
	s.m.latency.WithLabelValues(in.table).Observe(time.Since(start).Seconds())
	s.m.inserts.WithLabelValues(in.table).Inc()
	s.m.rows.WithLabelValues(in.table).Add(float64(in.rows))
	s.m.bytes.WithLabelValues(in.table).Add(float64(in.bytes))
	return nil
}

// Rows of one INSERT have distinct keys or settle by version later, so the server need not merge them before it answers.
var insertSettings = ch.Settings{
	"async_insert":                    0,
	"optimize_on_insert":              0,
	"max_partitions_per_insert_block": 0,
	"max_insert_threads":              1,
	"insert_deduplicate":              0,
}

func (s *Sink) send(ctx context.Context, in *insert) error {
	ctx = ch.Context(ctx, ch.WithSettings(insertSettings), ch.WithColumnNamesAndTypes(in.types))
	batch, err := s.conn.PrepareBatch(ctx, in.statement(s.cfg.Database))
	if err != nil {
		return err
	}
	columns := batch.Columns()
	for i, values := range in.values {
		if a, ok := values.(*arrays); ok {
			err = a.appendTo(columns[i])
		} else {
			err = batch.Column(i).Append(values)
		}
		if err != nil {
			_ = batch.Abort()
			return &PermanentError{Table: in.table, Hint: "column " + in.types[i].Name + " has another type: run `livemeter schema` and compare", Err: err}
		}
	}
	if n := batch.Rows(); n != in.rows {
		_ = batch.Abort()
		return &PermanentError{Table: in.table, Hint: "bug in the sink", Err: fmt.Errorf("%d rows in the block, wanted %d", n, in.rows)}
	}
	return batch.Send()
}
