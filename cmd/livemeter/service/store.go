package service

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// SinkConfig is the store's part of the configuration.
func SinkConfig(c *config.Config) clickhouse.Config {
	ch := c.ClickHouse
	ttl := make([]int, 0, 5)
	for _, d := range ch.TTL.Days() {
		ttl = append(ttl, int(d))
	}
	return clickhouse.Config{
		Addr: ch.Addr, Protocol: ch.Protocol, Database: ch.Database, User: ch.User, Password: ch.Password, Compression: ch.Compression,
		TLS:         clickhouse.TLS{Enabled: ch.TLS.Enabled, CAFile: ch.TLS.CAFile, CertFile: ch.TLS.CertFile, KeyFile: ch.TLS.KeyFile, ServerName: ch.TLS.ServerName},
		DialTimeout: ch.DialTimeout, WriteTimeout: ch.WriteTimeout, Parallel: ch.Parallel, MaxBlockRows: ch.MaxBlockRows,
		TTLDays: ttl, Lateness: c.Lateness,
	}
}

// OpenStore makes the pool of connections; it does not wait for the server. reg may be nil.
func OpenStore(ctx context.Context, c *config.Config, log *zap.Logger, reg prometheus.Registerer) (*clickhouse.Sink, error) {
	return clickhouse.New(ctx, SinkConfig(c), log, reg)
}

// RollerConfig is what the configuration says about folding.
func RollerConfig(c *config.Config) clickhouse.RollerConfig {
	out := clickhouse.DefaultRollerConfig()
	out.Zone = c.Zone
	return out
}
