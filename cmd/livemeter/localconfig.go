package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/stack"
	"github.com/livemeter/livemeter/deploy/embedded"
)

// localConfig is the configuration with what engines on this machine want otherwise. It makes the directory, once nothing is wrong.
func (f localFlags) localConfig(ctx context.Context, g global, dir string, say func(string)) (*config.Config, error) {
	cfg, err := f.load(g, say, func(c *config.Config) { c.Topics.LogAppend = false })
	if err != nil {
		return nil, errors.Join(err, service.Validate(cfg, config.Client))
	}
	if ignored := withoutServers(cfg); len(ignored) > 0 {
		say("up and demo start a Kafka and a ClickHouse of their own; of the configuration is ignored: " + strings.Join(ignored, ", "))
	}
	if err := errors.Join(service.Validate(cfg, config.Client), f.checkAddrs(cfg)); err != nil {
		return nil, err
	}
	if err := stack.CheckDir(dir, logName); err != nil {
		return nil, err
	}
	if err := probe(dir); err != nil {
		return nil, unwritable(dir, err)
	}
	if err := f.freePorts(ctx, cfg, dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, unwritable(dir, err)
	}
	if cfg.PseudonymKey == "" {
		if cfg.PseudonymKey, cfg.PseudonymKeyFile, err = stack.Key(dir); err != nil {
			return nil, fmt.Errorf("pseudonym key of %s: %w", dir, err)
		}
	}
	return cfg, service.Validate(cfg, config.Pipeline)
}

// probe makes a file in dir and removes it: rights, a read-only file system and what else there may be are all in the answer. A directory
// that is not there yet is none to ask: it is made once nothing else is wrong.
func probe(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	f, err := os.CreateTemp(dir, ".probe-*")
	if err != nil {
		return errors.Unwrap(err) // the file's name means nothing to anybody
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func unwritable(dir string, err error) error {
	return fmt.Errorf("data directory (--dir) %s cannot be written: %w; name one that this user may write to", dir, err)
}

// withoutServers takes out of a configuration what belongs to servers elsewhere, and names what it was. clickhouse.addr stays: the own one listens there.
func withoutServers(c *config.Config) (ignored []string) {
	own := *c
	own.Kafka.TLS, own.Kafka.SASL = config.TLS{}, config.SASL{}
	own.Kafka.Brokers, own.Topics.Replication = config.Default().Kafka.Brokers, config.Default().Topics.Replication
	ch := &own.ClickHouse
	ch.User, ch.Password, ch.PasswordFile, ch.TLS = config.Default().ClickHouse.User, "", "", config.TLS{}
	ch.Protocol = config.Default().ClickHouse.Protocol
	for _, k := range []struct {
		key  string
		same bool
	}{
		{"kafka.brokers", slices.Equal(c.Kafka.Brokers, own.Kafka.Brokers)}, {"kafka.tls", c.Kafka.TLS == own.Kafka.TLS}, {"kafka.sasl", c.Kafka.SASL == own.Kafka.SASL},
		{"topics.replication", c.Topics.Replication == own.Topics.Replication}, {"clickhouse.protocol", c.ClickHouse.Protocol == ch.Protocol},
		{"clickhouse.user", c.ClickHouse.User == ch.User}, {"clickhouse.password", c.ClickHouse.Password == ch.Password}, {"clickhouse.tls", c.ClickHouse.TLS == ch.TLS},
	} {
		if !k.same {
			ignored = append(ignored, k.key)
		}
	}
	ch.Protocol, ch.User = "http", "default" // what the embedded one speaks, whatever the defaults are
	*c = own
	return ignored
}

// checkAddrs refuses engines that other machines reach, unless they are meant to.
func (f localFlags) checkAddrs(cfg *config.Config) error {
	err := errors.Join(embedded.CheckAddr("Kafka", "--kafka-addr", f.KafkaAddr, f.AllowNetwork),
		embedded.CheckAddr("ClickHouse", "--clickhouse-addr", cfg.ClickHouse.Addr[0], f.AllowNetwork))
	if err != nil {
		return fmt.Errorf("%w; up and demo start engines of their own there, those of a configuration are not used", err)
	}
	return nil
}
