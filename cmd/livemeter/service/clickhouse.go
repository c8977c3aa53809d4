package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// SinkConfig is the store's part of the configuration, apart from the files of TLS, which OpenStore reads.
func SinkConfig(c *config.Config) clickhouse.Config {
	ch := c.ClickHouse
	ttl := ch.TTL.Days()
	return clickhouse.Config{
		Addr: ch.Addr, Protocol: ch.Protocol, Database: ch.Database, User: ch.User, Password: ch.Password, Compression: ch.Compression,
		DialTimeout: ch.DialTimeout, WriteTimeout: ch.WriteTimeout, Parallel: ch.Parallel, MaxBlockRows: ch.MaxBlockRows,
		TakeOver: ch.TakeOver, TTLDays: ttl[:], Zone: c.Zone,
	}
}

// OpenStore makes the pool of connections; it does not wait for the server. reg may be nil.
func OpenStore(c *config.Config, log *zap.Logger, reg prometheus.Registerer) (*clickhouse.Sink, error) {
	cfg := SinkConfig(c)
	if c.ClickHouse.TLS.Enabled {
		t, err := tlsConfig(c.ClickHouse.TLS)
		if err != nil {
			return nil, fmt.Errorf("clickhouse.tls: %w", err)
		}
		cfg.TLS = t
	}
	return clickhouse.New(cfg, log, reg)
}

// ReachStore is OpenStore for commands that a person waits for: it asks for an answer, and says what to do where there is none.
func ReachStore(ctx context.Context, c *config.Config) (*clickhouse.Sink, error) {
	sink, err := OpenStore(c, zap.NewNop(), nil)
	if err != nil {
		return nil, err
	}
	if err := AskStore(ctx, c, sink); err != nil {
		return nil, errors.Join(err, sink.Close())
	}
	return sink, nil
}

// AskStore asks a store for an answer, and says what to do where there is none.
func AskStore(ctx context.Context, c *config.Config, sink *clickhouse.Sink) error {
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := sink.Ping(limited)
	switch {
	case err == nil:
		return nil
	case timedOut(err) && connects(ctx, c.ClickHouse.Addr): // the driver says of both that there was no connection
		return fmt.Errorf("ClickHouse at %s (clickhouse.addr, --clickhouse-addr) does not answer: the port takes connections, but nothing came within %.0f s; does the server hang, or is this not its port for clickhouse.protocol %s (http 8123, native 9000)?",
			strings.Join(c.ClickHouse.Addr, ","), time.Since(began).Seconds(), c.ClickHouse.Protocol)
	}
	return StoreError(c, err)
}

func timedOut(err error) bool {
	var network net.Error
	return errors.Is(err, ch.ErrAcquireConnTimeout) || errors.As(err, &network) && network.Timeout()
}

// connects says whether anybody takes connections at one of the addresses.
func connects(ctx context.Context, addrs []string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	for _, addr := range addrs {
		if conn, err := dialer.DialContext(ctx, "tcp", addr); err == nil {
			conn.Close()
			return true
		}
	}
	return false
}

// Tell is StoreError for what the server says and what keeps it from answering; other errors explain themselves.
func Tell(c *config.Config, err error) error {
	var exception *ch.Exception
	var way *clickhouse.NoAnswerError
	if errors.As(err, &exception) || errors.As(err, &way) {
		return StoreError(c, err)
	}
	return err
}

// StoreError says what can be done about an error of ClickHouse.
func StoreError(c *config.Config, err error) error {
	at := "ClickHouse at " + strings.Join(c.ClickHouse.Addr, ",")
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("interrupted while asking %s: %w", at, context.Canceled)
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return fmt.Errorf("%s (clickhouse.addr, --clickhouse-addr) does not answer: %w", at, dial)
	}
	if errors.Is(err, ch.ErrAcquireConnTimeout) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s (clickhouse.addr, --clickhouse-addr) does not answer: %w", at, err)
	}
	var exception *ch.Exception
	if !errors.As(err, &exception) {
		return fmt.Errorf("%s (clickhouse.addr, --clickhouse-addr) gives no answer that can be read; is this its port for clickhouse.protocol %s (http 8123, native 9000), and does it want clickhouse.tls? %w",
			at, c.ClickHouse.Protocol, err)
	}
	kind, hint := clickhouse.Explain(err)
	switch {
	case kind == clickhouse.Missing:
		return fmt.Errorf("%s lacks livemeter tables or views in database %s (clickhouse.database): start livemeter run, or livemeter schema apply; a table that was dropped comes back with its rows by UNDROP TABLE, within eight minutes and before that: %w", at, c.ClickHouse.Database, err)
	case kind == clickhouse.Credentials:
		return fmt.Errorf("%s refuses user %s (clickhouse.user, clickhouse.password or clickhouse.password_file): %w", at, c.ClickHouse.User, err)
	case kind == clickhouse.Right:
		return fmt.Errorf("%s: user %s lacks a right (livemeter schema roles prints roles to grant): %w", at, c.ClickHouse.User, err)
	case hint != "":
		return fmt.Errorf("%s: %s: %w", at, hint, err)
	}
	return fmt.Errorf("%s: %w", at, err)
}
