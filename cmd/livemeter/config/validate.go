package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the zone is part of the result: it must not depend on what is installed

	"github.com/livemeter/livemeter/pipeline/measure"
)

// Service says which commands' demands apply in Validate.
type Service int

const (
	Client   Service = iota // reads or writes ClickHouse or Kafka, makes no pseudonyms
	Pipeline                // collects: needs the pseudonym key
)

// Validate returns at once all mistakes that no component knows of: in what keys say together, in what is livemeter's own, and values that are empty
// though components would take a default for them. service.Validate asks the components too.
func (c *Config) Validate(s Service) error {
	errs := c.empty()
	c = c.WithDefaults() // what is empty has been told
	add := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	c.validateKafka(add)
	validateTLS("clickhouse.tls", c.ClickHouse.TLS, add)
	for i, d := range c.ClickHouse.TTL.all() {
		add(d%day != 0, "clickhouse.ttl.%s %v: want whole days, such as 14d", measure.GrainNames[i], d)
	}
	c.validateTime(add)
	c.validateListeners(add)
	c.validateOthers(add)
	if _, err := c.Key(); err != nil && (s == Pipeline || !errors.Is(err, ErrNoKey)) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Doubts are what is possible and yet most likely a mistake: Validate lets it pass.
func (c *Config) Doubts() []string {
	return slices.Concat(c.doubtPorts(), c.doubtListeners(), c.doubtSecrets(), c.doubtTimeouts())
}

func (c *Config) doubtTimeouts() []string {
	if c.ClickHouse.WriteTimeout < c.Flush.Timeout {
		return nil
	}
	return []string{fmt.Sprintf("clickhouse.write_timeout %v is not below flush.timeout %v, which ends a write before: it has no effect", c.ClickHouse.WriteTimeout, c.Flush.Timeout)}
}

// doubtSecrets: files that all users of the machine may read.
func (c *Config) doubtSecrets() (out []string) {
	for _, f := range []struct{ key, file string }{
		{"pseudonym_key_file", c.PseudonymKeyFile}, {"kafka.sasl.password_file", c.Kafka.SASL.PasswordFile}, {"clickhouse.password_file", c.ClickHouse.PasswordFile},
		{"kafka.tls.key_file", c.Kafka.TLS.KeyFile}, {"clickhouse.tls.key_file", c.ClickHouse.TLS.KeyFile},
	} {
		if info, err := os.Stat(f.file); err == nil && info.Mode()&0o004 != 0 {
			out = append(out, fmt.Sprintf("%s %s can be read by every user of this machine (mode %04o): chmod 600 it", f.key, f.file, info.Mode().Perm()))
		}
	}
	return out
}

// doubtListeners: where one listens on all addresses the other cannot have its port, but only run and gateway have both.
func (c *Config) doubtListeners() []string {
	gateway, gatewayPort, _ := net.SplitHostPort(place(c.Gateway.Addr))
	admin, adminPort, _ := net.SplitHostPort(place(c.Admin.Addr))
	if gatewayPort != adminPort || gateway == admin || gateway != "*" && admin != "*" || freePort(c.Admin.Addr) {
		return nil
	}
	return []string{fmt.Sprintf("gateway.addr %s and admin.addr %s have the same port, and one of them is on all addresses: run and gateway cannot listen on both", c.Gateway.Addr, c.Admin.Addr)}
}

func (c *Config) doubtPorts() []string {
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
	for _, b := range k.Brokers {
		add(!hostPort(b) || freePort(b), "kafka.brokers: %q: want host:port, several with commas between", b)
	}
	add(!prefixSyntax.MatchString(k.Prefix), "kafka.prefix %q: want at most 64 of letters, digits, dot, dash and underscore", k.Prefix)
	add(k.GroupProtocol != "classic" && k.GroupProtocol != "consumer", "kafka.group_protocol %q: want classic or consumer", k.GroupProtocol)
	// The client does not name its instance when it leaves, which Kafka refuses: who stops in order would be missed for a session's timeout.
	add(k.BrokersAssign() && c.InstanceID != "", "instance_id %q with kafka.group_protocol consumer: static membership takes the classic protocol; leave one of them out", c.InstanceID)
	validateTLS("kafka.tls", k.TLS, add)
	mechanisms := []string{"", "plain", "scram-sha-256", "scram-sha-512"}
	add(!slices.Contains(mechanisms, k.SASL.Mechanism), "kafka.sasl.mechanism %q: want plain, scram-sha-256 or scram-sha-512", k.SASL.Mechanism)
	add(k.SASL.Mechanism != "" && k.SASL.User == "", "kafka.sasl.user is empty: mechanism %s wants one", k.SASL.Mechanism)
	add(k.SASL.Mechanism != "" && k.SASL.Password == "", "kafka.sasl.password is empty: mechanism %s wants one", k.SASL.Mechanism)
	add(k.SASL.Mechanism == "" && k.SASL.User != "", "kafka.sasl.user is given without kafka.sasl.mechanism")
	add(c.Topics.Partitions < 1 || c.Topics.Partitions > 1024, "topics.partitions %d: want 1 to 1024", c.Topics.Partitions)
	add(c.Topics.Replication < -1 || c.Topics.Replication > 16, "topics.replication %d: want 1 to 16, or -1", c.Topics.Replication)
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

const day = 24 * time.Hour

// all are the retentions in the order of measure.Grain.
func (t TTL) all() [measure.NumGrains]time.Duration {
	return [...]time.Duration{measure.Grain10s: t.Grain10s, measure.Grain1m: t.Grain1m, measure.Grain1h: t.Grain1h, measure.Grain1d: t.Grain1d,
		measure.GrainSession: t.Session}
}

// Days are the retentions in the order of measure.Grain, 0 for ever.
func (t TTL) Days() [measure.NumGrains]int {
	var out [measure.NumGrains]int
	for i, d := range t.all() {
		out[i] = int(d / day)
	}
	return out
}

func (c *Config) validateTime(add adder) {
	// A viewer's days in a room are bits of a ring of 32: beyond that, distinct viewers of a day would be missing and not just late.
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
	if name == "Local" {
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
	add(!hostPort(c.Admin.Addr), "admin.addr %q: want host:port", c.Admin.Addr)
	add(place(c.Gateway.Addr) == place(c.Admin.Addr) && hostPort(c.Admin.Addr) && !freePort(c.Admin.Addr),
		"gateway.addr %s and admin.addr %s are the same port of the same host: give each its own", c.Gateway.Addr, c.Admin.Addr)
}

func (c *Config) validateOthers(add adder) {
	add(!prefixSyntax.MatchString(c.Collector.Group), "collector.group %q: want at most 64 of letters, digits, dot, dash and underscore", c.Collector.Group)
	add(c.Limits.MaxCells < 1000, "limits.max_cells %d: want 1000 or more", c.Limits.MaxCells)
	add(!slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level), "log.level %q: want debug, info, warn or error", c.Log.Level)
	add(c.Log.Format != "json" && c.Log.Format != "console", "log.format %q: want json or console", c.Log.Format)
	add(len(c.InstanceID) > 128, "instance_id: longer than 128 bytes")
}

// place is an address under one of its names: localhost is 127.0.0.1, and all addresses of this machine have three.
func place(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	switch ip := net.ParseIP(host); {
	case host == "" || ip.IsUnspecified():
		host = "*"
	case ip != nil:
		host = ip.String()
	case strings.EqualFold(host, "localhost"):
		host = "127.0.0.1"
	}
	return net.JoinHostPort(strings.ToLower(host), port)
}

// noHost are characters that stand in no host's name and no IP address: with one of them it would be looked up in vain, for ever.
const noHost = " \t\r\n,;/@"

func hostPort(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || strings.ContainsAny(host, noHost) {
		return false
	}
	n, err := strconv.Atoi(port)
	return err == nil && n >= 0 && n <= 65535
}

func freePort(addr string) bool {
	_, port, _ := net.SplitHostPort(addr)
	return port == "0"
}
