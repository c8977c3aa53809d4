package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// KafkaOpts are the options of every Kafka client: name and security, not the brokers.
func KafkaOpts(k config.Kafka) ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.ClientID("livemeter")}
	if k.TLS.Enabled {
		t, err := tlsConfig(k.TLS)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls: %w", err)
		}
		opts = append(opts, kgo.DialTLSConfig(t))
	}
	switch k.SASL.Mechanism {
	case "plain":
		opts = append(opts, kgo.SASL(plain.Auth{User: k.SASL.User, Pass: k.SASL.Password}.AsMechanism()))
	case "scram-sha-256":
		opts = append(opts, kgo.SASL(scram.Auth{User: k.SASL.User, Pass: k.SASL.Password}.AsSha256Mechanism()))
	case "scram-sha-512":
		opts = append(opts, kgo.SASL(scram.Auth{User: k.SASL.User, Pass: k.SASL.Password}.AsSha512Mechanism()))
	}
	return opts, nil
}

// topicSpec is what the configuration asks of the topics.
func topicSpec(c *config.Config, log *zap.Logger) runtime.TopicSpec {
	keep := func(d time.Duration) time.Duration {
		if d == 0 {
			return runtime.Forever
		}
		return d
	}
	return runtime.TopicSpec{
		Prefix: c.Kafka.Prefix, Replication: int16(c.Topics.Replication), Log: log,
		RawPartitions: int32(c.Topics.Partitions), RawRetention: keep(c.Topics.Retention), RawCreateTime: !c.Topics.LogAppend,
		EventsPartitions: int32(c.Events.Partitions), EventsRetention: keep(c.Events.Retention), RejectedRetention: c.Topics.RejectedRetention,
	}
}

// EnsureTopics creates the topics that are missing and checks the others. It says how many it has made.
func EnsureTopics(ctx context.Context, c *config.Config, log *zap.Logger) (made int, err error) {
	adm, err := newAdmin(c)
	if err != nil {
		return 0, err
	}
	defer adm.Close()
	spec := topicSpec(c, log)
	spec.OnCreated = func() { made++ }
	if err := runtime.EnsureTopics(ctx, adm, spec); err != nil {
		return made, fmt.Errorf("kafka at %s (kafka.brokers, --kafka-brokers): %w", strings.Join(c.Kafka.Brokers, ","), err)
	}
	return made, nil
}

func newAdmin(c *config.Config) (*kadm.Client, error) {
	client, err := newClient(c)
	if err != nil {
		return nil, err
	}
	return kadm.NewClient(client), nil
}

func newClient(c *config.Config, more ...kgo.Opt) (*kgo.Client, error) {
	opts, err := KafkaOpts(c.Kafka)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(slices.Concat(opts, []kgo.Opt{kgo.SeedBrokers(c.Kafka.Brokers...)}, more)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return client, nil
}

// eventsTopicID is the identity of the log, by which the store knows its epoch.
func eventsTopicID(ctx context.Context, c *config.Config) ([16]byte, error) {
	client, err := newClient(c)
	if err != nil {
		return [16]byte{}, err
	}
	defer client.Close()
	return runtime.TopicID(ctx, client, c.Kafka.Prefix+runtime.TopicEvents)
}

// ReachKafka is for commands that a person waits for: it says soon that nobody answers.
func ReachKafka(ctx context.Context, c *config.Config) error {
	limited, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	err := pingKafka(limited, c)
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted while asking Kafka at %s: %w", strings.Join(c.Kafka.Brokers, ","), ctx.Err())
	}
	return err
}

// pingKafka asks any broker for a sign of life.
func pingKafka(ctx context.Context, c *config.Config) error {
	var connected atomic.Bool
	dial, err := dialUntil(ctx, c.Kafka.TLS, func() { connected.Store(true) })
	if err != nil {
		return err
	}
	plain := *c
	plain.Kafka.TLS = config.TLS{} // the dialer's
	client, err := newClient(&plain, kgo.RequestRetries(0), kgo.Dialer(dial))
	if err != nil {
		return err
	}
	defer client.Close()
	err = client.Ping(ctx)
	if err == nil {
		return nil
	}
	switch { // what the client makes of it tells less
	case ctx.Err() != nil && connected.Load():
		err = errors.New("who listens there takes the connection and says nothing")
	case ctx.Err() != nil:
		err = errors.New("no connection in time: a network that drops it")
	}
	return unanswered(c.Kafka, err)
}

// unanswered says what to look at: a broker that refuses who asks is there.
func unanswered(k config.Kafka, err error) error {
	brokers := strings.Join(k.Brokers, ",") + " (kafka.brokers, --kafka-brokers)"
	if errors.Is(err, kerr.SaslAuthenticationFailed) {
		return fmt.Errorf("kafka: %s refuses who asks: %w: see kafka.sasl.user and kafka.sasl.password", brokers, err)
	}
	return fmt.Errorf("kafka: no answer from %s: %w: %s", brokers, err, kafkaDoubt(k))
}

// dialUntil makes connections that end with ctx. The client's first question on each does not: it waits ten seconds for an answer, and so does its Close.
func dialUntil(ctx context.Context, t config.TLS, connected func()) (func(context.Context, string, string) (net.Conn, error), error) {
	dial := (&net.Dialer{}).DialContext
	if t.Enabled {
		cfg, err := tlsConfig(t)
		if err != nil {
			return nil, fmt.Errorf("kafka.tls: %w", err)
		}
		dial = (&tls.Dialer{Config: cfg}).DialContext
	}
	return func(_ context.Context, network, host string) (net.Conn, error) {
		conn, err := dial(ctx, network, host)
		if err == nil {
			connected()
			context.AfterFunc(ctx, func() { conn.Close() })
		}
		return conn, err
	}, nil
}

// kafkaDoubt says what to look at where no broker answers. One that expects another kind of connection hangs up or is silent: its error does not tell.
func kafkaDoubt(k config.Kafka) string {
	var set []string
	if k.TLS.Enabled {
		set = append(set, "kafka.tls.enabled")
	}
	if k.SASL.Mechanism != "" {
		set = append(set, "kafka.sasl.mechanism "+k.SASL.Mechanism)
	}
	if len(set) == 0 {
		return "is Kafka there, and does this listener want kafka.tls or kafka.sasl?"
	}
	return "is Kafka there, and is this a listener for " + strings.Join(set, " with ") + ", or a plain one?"
}
