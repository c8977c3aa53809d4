package proof

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// What every place is called by; its id follows. An administrator grants rights by these beginnings.
const (
	prefixes  = "livemeter-verify-"
	databases = "livemeter_verify_"
)

// place is what a proof has to itself in somebody's servers: topics, groups and transactions of one prefix, and a database.
type place struct {
	cfg    *config.Config // its own
	client *kgo.Client
	adm    *kadm.Client
	sink   *clickhouse.Sink
}

// NewID names a place that nobody has.
func NewID() string { return random(4) }

func random(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// own is the user's configuration, in a place of its own and with a key that nobody keeps. What it takes from files it has read.
func own(user *config.Config, id string) *config.Config {
	c := *user
	c.Kafka.Prefix, c.ClickHouse.Database = prefixes+id+".", databases+id
	c.ClickHouse.TakeOver = false
	c.PseudonymKey, c.PseudonymKeyFile = random(32), ""
	c.Kafka.SASL.PasswordFile, c.ClickHouse.PasswordFile = "", ""
	c.InstanceID, c.Admin.Addr = "", "127.0.0.1:0"
	c.Gateway = config.Default().Gateway
	c.Gateway.Addr = "127.0.0.1:0"
	c.Log = config.Default().Log
	return &c
}

// openPlace reaches both servers, and changes nothing there. Close it.
func openPlace(ctx context.Context, user *config.Config, id string) (*place, error) {
	p := &place{cfg: own(user, id)}
	if err := service.ReachKafka(ctx, p.cfg); err != nil {
		return nil, err
	}
	opts, err := service.KafkaOpts(p.cfg.Kafka)
	if err != nil {
		return nil, err
	}
	if p.client, err = kgo.NewClient(append(opts, kgo.SeedBrokers(p.cfg.Kafka.Brokers...))...); err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	p.adm = kadm.NewClient(p.client)
	if p.sink, err = service.ReachStore(ctx, p.cfg); err != nil {
		p.adm.Close()
		return nil, err
	}
	return p, nil
}

func (p *place) close() error {
	p.adm.Close()
	return p.sink.Close()
}

func (p *place) names() string {
	return fmt.Sprintf("topics and groups %s*, database %s", p.cfg.Kafka.Prefix, p.cfg.ClickHouse.Database)
}

// found is what there is of a place.
type found struct {
	topics, groups []string
	database       bool
}

func (f found) empty() bool { return len(f.topics)+len(f.groups) == 0 && !f.database }

func (f found) String() string {
	var out []string
	for _, n := range []struct {
		what  string
		names []string
	}{{"topics", f.topics}, {"consumer groups", f.groups}} {
		if len(n.names) > 0 {
			out = append(out, n.what+" "+strings.Join(n.names, " "))
		}
	}
	if f.database {
		out = append(out, "the database")
	}
	return strings.Join(out, ", ")
}

// look lists what there is of the place, and of nothing else.
func (p *place) look(ctx context.Context) (f found, err error) {
	topics, err := p.adm.ListTopics(ctx)
	if err != nil {
		return f, fmt.Errorf("list Kafka's topics: %w", err)
	}
	groups, err := p.adm.ListGroups(ctx)
	if err != nil {
		return f, fmt.Errorf("list Kafka's consumer groups: %w", err)
	}
	other := func(name string) bool { return !strings.HasPrefix(name, p.cfg.Kafka.Prefix) }
	f.topics, f.groups = slices.DeleteFunc(topics.Names(), other), slices.DeleteFunc(slices.Sorted(maps.Keys(groups)), other)
	var n uint64
	if err := p.ask(ctx, &n, "SELECT count() FROM system.databases WHERE name = '"+p.cfg.ClickHouse.Database+"'"); err != nil {
		return f, service.StoreError(p.cfg, err)
	}
	f.database = n > 0
	return f, nil
}

// ask is for queries whose answer is one value.
func (p *place) ask(ctx context.Context, to any, sql string) error {
	return p.sink.Conn().QueryRow(ctx, sql).Scan(to)
}

// refuse ends a proof whose place is somebody's already.
func (p *place) refuse(ctx context.Context) error {
	f, err := p.look(ctx)
	if err == nil && !f.empty() {
		err = fmt.Errorf("%s: there are already %s: nothing was touched; start again", p.names(), f)
	}
	return err
}

// make makes topics and database, so that what is not allowed is told before anything is started.
func (p *place) make(ctx context.Context) error {
	// Without IF NOT EXISTS: a database that is there is somebody's.
	if err := p.sink.Conn().Exec(ctx, "CREATE DATABASE "+p.cfg.ClickHouse.Database); err != nil {
		return p.lacks(service.StoreError(p.cfg, err))
	}
	if _, err := service.EnsureTopics(ctx, p.cfg, zap.NewNop()); err != nil {
		return p.lacks(err)
	}
	if err := p.acknowledges(ctx); err != nil {
		return err
	}
	if _, err := p.sink.Apply(ctx); err != nil {
		return p.lacks(service.StoreError(p.cfg, err))
	}
	return nil
}

// acknowledges looks for a cluster that makes topics and then waits for ever for replicas that they do not have.
func (p *place) acknowledges(ctx context.Context) error {
	topic := p.cfg.Kafka.Prefix + event.TopicNames[0]
	topics, err := p.adm.ListTopics(ctx, topic)
	if err != nil {
		return fmt.Errorf("ask Kafka for topic %s: %w", topic, err)
	}
	replicas := topics[topic].Partitions.NumReplicas()
	configs, err := p.adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return nil // who may not ask goes on without this
	}
	settings, err := configs.On(topic, nil)
	if err != nil || settings.Err != nil {
		return nil
	}
	for _, kv := range settings.Configs {
		if least, err := strconv.Atoi(kv.MaybeValue()); kv.Key == "min.insync.replicas" && err == nil && replicas < least {
			return fmt.Errorf("topics of this Kafka get %d replicas (topics.replication %d) and take records once %d have them (min.insync.replicas): give --topics-replication %d or more",
				replicas, p.cfg.Topics.Replication, least, least)
		}
	}
	return nil
}

// lacks adds to an error what to grant, or how many brokers there are.
func (p *place) lacks(err error) error {
	kind, _ := clickhouse.Explain(err)
	brokers := strings.Join(p.cfg.Kafka.Brokers, ",")
	switch {
	case kind == clickhouse.Right:
		return fmt.Errorf("%w\nThe proof makes a database of its own and drops it. An administrator grants that by (ClickHouse 24.10 or later):\n"+
			"    GRANT SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE ON %s*.* TO %s", err, databases, p.cfg.ClickHouse.User)
	case errors.Is(err, kerr.InvalidReplicationFactor):
		first, _, _ := strings.Cut(err.Error(), "\n") // it is the same of every topic
		return fmt.Errorf("%s\ntopics.replication is %d (-1: what the brokers take by default): a Kafka of fewer brokers wants --topics-replication 1", first, p.cfg.Topics.Replication)
	case unauthorized(err.Error()):
		return fmt.Errorf("%w\n%s", err, aclHint(brokers, p.cfg.Kafka.SASL.User))
	}
	return err
}

// unauthorized knows Kafka's refusals, also in the log of a process.
func unauthorized(text string) bool { return strings.Contains(text, "AUTHORIZATION_FAILED") }

func aclHint(brokers, user string) string {
	if user == "" {
		user = "NAME"
	}
	return fmt.Sprintf("The proof makes topics, groups and transactions of its own and removes them. An administrator grants that by:\n"+
		"    kafka-acls.sh --bootstrap-server %s --add --allow-principal User:%s --operation All --resource-pattern-type prefixed --topic %s --group %s --transactional-id %s",
		brokers, user, prefixes, prefixes, prefixes)
}
