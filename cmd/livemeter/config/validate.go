package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"
	_ "time/tzdata" // the zone is part of the result: it must not depend on what is installed
)

// Service says which commands' demands apply in Validate.
type Service int

const (
	Client   Service = iota // reads or writes ClickHouse or Kafka, makes no pseudonyms
	Pipeline                // collects: needs the pseudonym key
)

// Validate returns all mistakes at once.
func (c *Config) Validate(s Service) error {
	var errs []error
	add := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	c.validateKafka(add)
	c.validateClickHouse(add)
	c.validateTime(add)
	c.validateListeners(add)
	c.validatePacing(add)
	if _, err := c.Key(); err != nil && (s == Pipeline || !errors.Is(err, ErrNoKey)) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Doubts are what is possible and yet most likely a mistake: Validate lets it pass.
func (c *Config) Doubts() []string {
	own := map[string]string{"http": "8123", "native": "9000"}
	if c.ClickHouse.TLS.Enabled {
		own = map[string]string{"http": "8443", "native": "9440"}
	}
	var out []string
	if own[c.ClickHouse.Protocol] == "" {
		return nil // an error of its own
	}
	for _, a := range c.ClickHouse.Addr {
		_, port, _ := net.SplitHostPort(a)
		for protocol, ports := range clickhousePorts {
			if protocol != c.ClickHouse.Protocol && slices.Contains(ports, port) {
				out = append(out, fmt.Sprintf("clickhouse.addr %s: port %s is that of protocol %s, but clickhouse.protocol is %s, whose port is %s",
					a, port, protocol, c.ClickHouse.Protocol, own[c.ClickHouse.Protocol]))
			}
		}
	}
	return out
}

// clickhousePorts are what servers listen on unless told otherwise: plain, and with TLS.
var clickhousePorts = map[string][]string{"http": {"8123", "8443"}, "native": {"9000", "9440"}}

type adder func(bad bool, format string, args ...any)

var prefixSyntax = regexp.MustCompile(`^[A-Za-z0-9._-]{0,64}$`)

func (c *Config) validateKafka(add adder) {
	k := c.Kafka
	add(len(k.Brokers) == 0, "kafka.brokers: none given")
	for _, b := range k.Brokers {
		add(!hostPort(b), "kafka.brokers: %q: want host:port", b)
	}
	add(!prefixSyntax.MatchString(k.Prefix), "kafka.prefix %q: want at most 64 of letters, digits, dot, dash and underscore", k.Prefix)
	validateTLS("kafka.tls", k.TLS, add)
	mechanisms := []string{"", "plain", "scram-sha-256", "scram-sha-512"}
	add(!slices.Contains(mechanisms, k.SASL.Mechanism), "kafka.sasl.mechanism %q: want plain, scram-sha-256 or scram-sha-512", k.SASL.Mechanism)
	add(k.SASL.Mechanism != "" && (k.SASL.User == "" || k.SASL.Password == ""), "kafka.sasl: mechanism %s wants user and password", k.SASL.Mechanism)
	add(k.SASL.Mechanism == "" && k.SASL.User != "", "kafka.sasl.user is given without kafka.sasl.mechanism")
	add(c.Topics.Partitions < 1 || c.Topics.Partitions > 1024, "topics.partitions %d: want 1 to 1024", c.Topics.Partitions)
	add(c.Topics.Replication == 0 || c.Topics.Replication < -1 || c.Topics.Replication > 16, "topics.replication %d: want 1 to 16, or -1", c.Topics.Replication)
	add(c.Topics.Retention < 0, "topics.retention %v: want 0 or more", c.Topics.Retention)
	add(c.Topics.RejectedRetention < time.Hour || c.Topics.RejectedRetention > 7*day,
		"topics.rejected_retention %v: want from 1h to 168h: original bytes may name persons", c.Topics.RejectedRetention)
	add(c.Events.Partitions < 1 || c.Events.Partitions > 1024, "events.partitions %d: want 1 to 1024", c.Events.Partitions)
	add(c.Events.Retention < 0 || c.Events.Retention > 0 && c.Events.Retention < time.Hour, "events.retention %v: want an hour or more, or 0", c.Events.Retention)
}

func validateTLS(path string, t TLS, add adder) {
	add(!t.Enabled && (t.CAFile != "" || t.CertFile != "" || t.KeyFile != "" || t.ServerName != ""), "%s: files or a name are given but %s.enabled is false", path, path)
	add((t.CertFile == "") != (t.KeyFile == ""), "%s: cert_file and key_file go together", path)
	for _, f := range []string{t.CAFile, t.CertFile, t.KeyFile} {
		if f == "" {
			continue
		}
		_, err := os.Stat(f)
		add(err != nil, "%s: %v", path, err)
	}
}

var databaseSyntax = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

func (c *Config) validateClickHouse(add adder) {
	ch := c.ClickHouse
	add(len(ch.Addr) == 0, "clickhouse.addr: none given")
	for _, a := range ch.Addr {
		add(!hostPort(a), "clickhouse.addr: %q: want host:port", a)
	}
	add(ch.Protocol != "http" && ch.Protocol != "native", "clickhouse.protocol %q: want http or native", ch.Protocol)
	add(!databaseSyntax.MatchString(ch.Database), "clickhouse.database %q: want a name of letters, digits and underscore", ch.Database)
	add(ch.User == "", "clickhouse.user: empty")
	add(ch.Compression != "none" && ch.Compression != "lz4", "clickhouse.compression %q: want none or lz4", ch.Compression)
	add(ch.DialTimeout <= 0, "clickhouse.dial_timeout %v: want above 0", ch.DialTimeout)
	add(ch.WriteTimeout <= 0, "clickhouse.write_timeout %v: want above 0", ch.WriteTimeout)
	add(ch.Parallel < 1 || ch.Parallel > 32, "clickhouse.parallel %d: want 1 to 32", ch.Parallel)
	add(ch.MaxBlockRows < 1000 || ch.MaxBlockRows > 500_000, "clickhouse.max_block_rows %d: want 1000 to 500000", ch.MaxBlockRows)
	validateTLS("clickhouse.tls", ch.TLS, add)
	for i, d := range ch.TTL.all() {
		add(d < 0 || d%day != 0 || d/day > 10_000, "clickhouse.ttl.%s %v: want whole days up to 10000, such as 14d", ttlKeys[i], d)
	}
}

const day = 24 * time.Hour

var ttlKeys = [5]string{"10s", "1m", "1h", "1d", "session"}

func (t TTL) all() [5]time.Duration {
	return [5]time.Duration{t.Grain10s, t.Grain1m, t.Grain1h, t.Grain1d, t.Session}
}

// Days are the retentions in the order of measure.Grain, 0 for ever.
func (t TTL) Days() [5]uint16 {
	var out [5]uint16
	for i, d := range t.all() {
		out[i] = uint16(d / day)
	}
	return out
}

func (c *Config) validateTime(add adder) {
	// A viewer's days in a room are remembered for 32 days: beyond that, distinct viewers of a day would be missing and not just late.
	add(c.Horizon < time.Minute || c.Horizon > 30*day, "horizon %v: want from 1m to 720h", c.Horizon)
	add(c.Lateness < time.Second || c.Lateness > time.Hour, "lateness %v: want from 1s to 1h", c.Lateness)
	add(c.Lateness > c.Horizon, "lateness %v is longer than horizon %v", c.Lateness, c.Horizon)
	add(c.SessionGap < time.Hour || c.SessionGap > 7*day, "session_gap %v: want from 1h (a run of a session is told hour by hour) to 168h", c.SessionGap)
	add(c.Dedupe < 10*time.Minute || c.Dedupe > 7*day, "dedupe %v: want from 10m to 168h", c.Dedupe)
	if err := checkZone(c.Zone); err != nil {
		add(true, "zone %q: %v", c.Zone, err)
	}
}

// checkZone looks at every month from 1990 to 2040: an hourly window must lie in one day.
func checkZone(name string) error {
	if name == "" || name == "Local" {
		return errors.New("want an IANA name such as Asia/Shanghai")
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return errors.New("not known: want an IANA name such as Asia/Shanghai")
	}
	for t := time.Date(1990, 1, 15, 0, 0, 0, 0, time.UTC); t.Year() < 2040; t = t.AddDate(0, 1, 0) {
		if _, off := t.In(loc).Zone(); off%3600 != 0 {
			return fmt.Errorf("its offset in %s is no whole number of hours, which hourly and daily windows need", t.Format("2006-01"))
		}
	}
	return nil
}

func (c *Config) validateListeners(add adder) {
	g := c.Gateway
	add(!hostPort(g.Addr), "gateway.addr %q: want host:port", g.Addr)
	add(!hostPort(c.Admin.Addr), "admin.addr %q: want host:port", c.Admin.Addr)
	add(g.Addr == c.Admin.Addr && !freePort(g.Addr), "gateway.addr and admin.addr are both %s", g.Addr)
	add(g.RatePerToken < 0, "gateway.rate_per_token %v: want 0 or more", g.RatePerToken)
	add(g.MaxInFlightBytes < 1<<20, "gateway.max_in_flight_bytes %d: want at least 1048576", g.MaxInFlightBytes)
	add(g.MaxConnections < 1, "gateway.max_connections %d: want 1 or more", g.MaxConnections)
	add(g.ProduceTimeout <= 0 || g.ProduceTimeout >= 10*time.Second, "gateway.produce_timeout %v: want above 0 and below 10s", g.ProduceTimeout)
	add(g.ReadTimeout <= 0, "gateway.read_timeout %v: want above 0", g.ReadTimeout)
	names := map[string]bool{}
	for i, t := range g.Tokens {
		add(t.Name == "" || names[t.Name], "gateway.tokens[%d]: want a name of its own, have %q", i, t.Name)
		add(len(t.Secret) < 16, "gateway.tokens[%d] (%s): the secret has %d bytes, want at least 16", i, t.Name, len(t.Secret))
		names[t.Name] = true
	}
	host, _, err := net.SplitHostPort(g.Addr)
	add(err == nil && len(g.Tokens) == 0 && !g.AllowOpen && !loopback(host),
		"gateway.addr %s is reachable from other machines and gateway.tokens is empty: give tokens, or set gateway.allow_open", g.Addr)
}

func (c *Config) validatePacing(add adder) {
	for _, d := range []struct {
		key string
		v   time.Duration
	}{
		{"checkpoint_every", c.CheckpointEvery}, {"flush.hot", c.Flush.Hot}, {"flush.max", c.Flush.Max}, {"flush.behind", c.Flush.Behind},
		{"flush.timeout", c.Flush.Timeout}, {"collector.linger", c.Collector.Linger}, {"collector.progress_every", c.Collector.ProgressEvery},
		{"collector.idle_grace", c.Collector.IdleGrace}, {"collector.commit_every", c.Collector.CommitEvery},
	} {
		add(d.v <= 0 || d.v > time.Hour, "%s %v: want above 0 and at most 1h", d.key, d.v)
	}
	add(c.Flush.Max < c.Flush.Hot, "flush.max %v is shorter than flush.hot %v", c.Flush.Max, c.Flush.Hot)
	add(c.Flush.RowBudget < 1, "flush.row_budget %d: want 1 or more", c.Flush.RowBudget)
	add(!prefixSyntax.MatchString(c.Collector.Group) || c.Collector.Group == "", "collector.group %q: want 1 to 64 of letters, digits, dot, dash and underscore", c.Collector.Group)
	add(c.Collector.BlockBytes < 1024 || c.Collector.BlockBytes > 512<<10, "collector.block_bytes %d: want 1024 to 524288", c.Collector.BlockBytes)
	add(c.Collector.MaxInflightBytes < 4*c.Collector.BlockBytes, "collector.max_inflight_bytes %d: want at least four blocks", c.Collector.MaxInflightBytes)
	add(c.Limits.MaxCells < 1000, "limits.max_cells %d: want 1000 or more", c.Limits.MaxCells)
	add(c.Limits.MaxDirtyCells < 1000, "limits.max_dirty_cells %d: want 1000 or more", c.Limits.MaxDirtyCells)
	add(!slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level %q: want debug, info, warn or error", c.Log.Level)
	add(c.Log.Format != "json" && c.Log.Format != "console", "log.format %q: want json or console", c.Log.Format)
	add(len(c.InstanceID) > 128, "instance_id: longer than 128 bytes")
}

func hostPort(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

func freePort(addr string) bool {
	_, port, _ := net.SplitHostPort(addr)
	return port == "0"
}

// loopback is false for names other than localhost: what they resolve to can change after the check.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
