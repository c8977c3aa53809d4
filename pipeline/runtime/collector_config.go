package runtime

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// CollectorConfig is what a collector needs. Zero values of the optional fields take the defaults named.
type CollectorConfig struct {
	Brokers   []string
	KafkaOpts []kgo.Opt // for every client: TLS, SASL, dialer
	Prefix    string    // of all topics
	Group     string    // one consumer group per raw topic is made of it: GROUP.raw.viewer, …; default PREFIXcollector
	// InstanceID makes the members static (Kafka's group.instance.id): a killed process that comes back under the same one goes on at
	// once instead of after SessionTimeout. Two live processes must not share one.
	InstanceID    string
	BrokersAssign bool // as a reader's

	Settings     eventlog.Settings // KeyFingerprint is filled in
	PseudonymKey []byte            // 16 or 32 bytes, the same for all collectors of a log

	Linger           time.Duration    // default 2 ms: how long an event waits for others in its block; five times that in catch-up
	BlockBytes       int              // default 48 KiB: a block that has reached this is sealed
	MaxInflightBytes int              // default 8 MiB: built and not acknowledged; at the limit no record is taken
	ProgressEvery    time.Duration    // default 100 ms
	StallAfter       time.Duration    // default 10 min: how long the watermark waits for a source that brings nothing and is not known to be idle; -1: for ever
	IdleGrace        time.Duration    // default 500 ms: a source read to its end promises nothing older than when it was asked for that, minus this
	CommitEvery      time.Duration    // default 1 s
	RejectedRate     int              // default 8 MiB: a second, of a source partition's invalid records that events.rejected takes, a minute's worth at once; -1: no limit
	Health           *CollectorHealth // of this collector, for who wants to ask; may be nil

	// No key of the configuration sets these: tests do.
	SettingsEvery  time.Duration    // default 1 min: how soon the log tells settings and sources again, for readers of one that retention has taken the beginning of
	MetadataEvery  time.Duration    // default 10 s: how soon new partitions of raw topics are seen
	SessionTimeout time.Duration    // default 10 s: of the consumer groups
	FinishTimeout  time.Duration    // default 15 s: for flush and commit after the context is cancelled
	Now            func() time.Time // default time.Now
	// Tests make a record panic with these: when it is decoded, and when it has been packed. May be nil.
	Fault, FaultPacked func(r *collect.Record)
	Refuse             func(event.Topic, []byte) event.Verdict // nil: an earlier version's mistake, which a replay mends
}

// WithDefaults returns c with its empty fields filled.
func (c CollectorConfig) WithDefaults() CollectorConfig {
	d := func(v *time.Duration, def time.Duration) {
		if *v == 0 {
			*v = def
		}
	}
	d(&c.Linger, 2*time.Millisecond)
	d(&c.ProgressEvery, 100*time.Millisecond)
	d(&c.IdleGrace, 500*time.Millisecond)
	d(&c.StallAfter, 10*time.Minute)
	d(&c.CommitEvery, time.Second)
	d(&c.SettingsEvery, time.Minute)
	d(&c.MetadataEvery, 10*time.Second)
	d(&c.SessionTimeout, 10*time.Second)
	d(&c.FinishTimeout, 15*time.Second)
	if c.RejectedRate == 0 {
		c.RejectedRate = 8 << 20
	}
	if c.BlockBytes == 0 {
		c.BlockBytes = 48 << 10
	}
	if c.MaxInflightBytes == 0 {
		c.MaxInflightBytes = 8 << 20
	}
	if c.Group == "" {
		c.Group = c.Prefix + "collector"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Health == nil {
		c.Health = &CollectorHealth{}
	}
	return c
}

// collectorConfigError is a mistake that no retry mends.
type collectorConfigError struct{ error }

func (e collectorConfigError) Unwrap() error { return e.error }

// Validate returns all mistakes at once but those of the pseudonym key, each with its key in a configuration file. Defaults count as given.
func (c CollectorConfig) Validate() error {
	c = c.WithDefaults()
	var errs mistakes
	errs.add(len(c.Brokers) == 0, "kafka.brokers: none given")
	errs.add(c.Settings.Partitions == 0, "events.partitions: 0 of %s%s", c.Prefix, TopicEvents)
	errs.add(c.BlockBytes < 1024 || c.BlockBytes > 512<<10, "collector.block_bytes %d: want 1024 to 524288", c.BlockBytes)
	errs.add(c.MaxInflightBytes < 4*c.BlockBytes, "collector.max_inflight_bytes %d: want at least four blocks of collector.block_bytes", c.MaxInflightBytes)
	errs.add(c.RejectedRate < -1 || c.RejectedRate > 1<<30, "collector.rejected_rate %d: want 0 (no limit) to 1 GiB a second", c.RejectedRate)
	errs.pace("collector.linger", c.Linger)
	errs.pace("collector.progress_every", c.ProgressEvery)
	errs.pace("collector.idle_grace", c.IdleGrace)
	errs.pace("collector.commit_every", c.CommitEvery)
	return errors.Join(errs...)
}

// takeKey puts the key's fingerprint into the settings, which may demand one.
func (c *CollectorConfig) takeKey() error {
	names, err := collect.NewPseudonyms(c.PseudonymKey)
	if err != nil {
		return err
	}
	if want := c.Settings.KeyFingerprint; want != 0 && want != names.Fingerprint() {
		return fmt.Errorf("pseudonym key has fingerprint %016x, the settings demand %016x: every collector of a log needs the same key", names.Fingerprint(), want)
	}
	c.Settings.KeyFingerprint = names.Fingerprint()
	return nil
}

// RawGroup is the consumer group of a raw topic, of the Group in a CollectorConfig.
func RawGroup(group string, t event.Topic) string { return group + "." + event.TopicNames[t] }

func (c *CollectorConfig) rawTopic(t event.Topic) string { return c.Prefix + event.TopicNames[t] }
