package service

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
)

// mute accepts connections and does not answer; asked gets one value for each that was asked something.
func mute(t *testing.T) (addr string, asked <-chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	came := make(chan struct{}, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go func() {
				if _, err := c.Read(make([]byte, 1000)); err == nil {
					came <- struct{}{}
				}
			}()
		}
	}()
	return l.Addr().String(), came
}

// Who is told to stop while Kafka or ClickHouse say nothing stops, and does not blame them.
func TestStopWhileAnEngineIsSilent(t *testing.T) {
	for name, reach := range map[string]func(context.Context, *config.Config) error{
		"Kafka":      ReachKafka,
		"ClickHouse": func(ctx context.Context, c *config.Config) error { _, err := ReachStore(ctx, c); return err },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config.Default()
			addr, asked := mute(t)
			cfg.Kafka.Brokers, cfg.ClickHouse.Addr = []string{addr}, []string{addr}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- reach(ctx, cfg) }()
			<-asked
			cancel()
			stopped := time.Now()
			if err := <-ended; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "interrupted while asking "+name) {
				t.Errorf("%v, want that it was interrupted", err)
			}
			if took := time.Since(stopped); took > time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// Who takes the connection and says nothing is told from who is not there.
func TestAMuteServerIsToldFromNone(t *testing.T) {
	addr, _ := mute(t)
	for _, protocol := range []string{"http", "native"} {
		cfg := config.Default()
		cfg.ClickHouse.Protocol, cfg.ClickHouse.DialTimeout = protocol, 100*time.Millisecond
		for at, want := range map[string]string{addr: "does not answer: the port takes connections, but nothing came", "127.0.0.1:1": "does not answer: dial tcp"} {
			cfg.ClickHouse.Addr = []string{at}
			if _, err := ReachStore(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s: %v, want %q", protocol, at, err, want)
			}
		}
	}
	cfg := config.Default()
	cfg.Kafka.Brokers = []string{addr}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := pingKafka(ctx, cfg); err == nil || !strings.Contains(err.Error(), "takes the connection and says nothing") {
		t.Errorf("Kafka: %v", err)
	}
}
