package service

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// TestAnotherKindOfListener: a plain broker hangs up on who authenticates, and the error must say what may be wrong.
func TestAnotherKindOfListener(t *testing.T) {
	cfg := config.Default()
	cfg.Kafka.Brokers = testengine.FakeKafka(t)
	for want, sasl := range map[string]config.SASL{
		"a listener for kafka.sasl.mechanism plain, or a plain one?":         {Mechanism: "plain", User: "u", Password: "p"},
		"a listener for kafka.sasl.mechanism scram-sha-256, or a plain one?": {Mechanism: "scram-sha-256", User: "u", Password: "p"},
	} {
		cfg.Kafka.SASL = sasl
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		err := pingKafka(ctx, cfg)
		cancel()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("mechanism %s at a plain broker: %v, want %q", sasl.Mechanism, err, want)
		}
	}
}

// TestWrongPassword: a broker that answers is not one that does not. Apache Kafka's answer; the fake one hangs up.
func TestWrongPassword(t *testing.T) {
	cfg := config.Default().Kafka
	cfg.SASL = config.SASL{Mechanism: "plain", User: "u", Password: "wrong"}
	err := unanswered(cfg, fmt.Errorf("unable to initialize sasl: %w", kerr.SaslAuthenticationFailed))
	if !strings.Contains(err.Error(), "refuses who asks") || !strings.Contains(err.Error(), "see kafka.sasl.user and kafka.sasl.password") || strings.Contains(err.Error(), "no answer") {
		t.Errorf("a wrong password: %v", err)
	}
}
