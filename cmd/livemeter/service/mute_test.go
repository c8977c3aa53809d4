package service

import (
	"context"
	"errors"
	"net"
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

// Who is told to stop while a broker says nothing stops, and does not blame the broker.
func TestStopWhileKafkaIsSilent(t *testing.T) {
	cfg := config.Default()
	addr, asked := mute(t)
	cfg.Kafka.Brokers = []string{addr}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ReachKafka(ctx, cfg) }()
	<-asked
	cancel()
	stopped := time.Now()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that it was interrupted", err)
	}
	if took := time.Since(stopped); took > time.Second {
		t.Errorf("it took %v", took)
	}
}
