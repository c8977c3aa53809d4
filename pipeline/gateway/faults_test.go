package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

func TestSlowKafkaIs503AndTheRetryIsStored(t *testing.T) {
	b := newBench(t, func(c *Config) { c.ProduceTimeout = 300 * time.Millisecond })
	b.postUntilStored(array(viewer("e1")))
	before := b.stored()
	arrived, release := b.holdKafka()
	resp := b.post(array(viewer("e1")), 503)
	if code := codeOf(t, resp, 503); code != "kafka_slow" || resp.Header.Get("Retry-After") != "2" {
		t.Errorf("%s, Retry-After %q", code, resp.Header.Get("Retry-After"))
	}
	if got := b.metric("livemeter_gateway_events_total", "outcome=unacknowledged"); got != 1 {
		t.Errorf("metric unacknowledged = %v, want 1", got)
	}
	<-arrived
	release()
	b.postUntilStored(array(viewer("e1")))
	for _, r := range b.records(max(before+2, b.stored())) { // the copy answered 503 was in flight: it is stored too, and a duplicate downstream
		if !bytes.Equal(r.Value, []byte(viewer("e1"))) {
			t.Errorf("%s", r.Value)
		}
	}
	if held := b.srv.budget.used.Load(); held != 0 {
		t.Errorf("%d bytes of the budget were never given back", held)
	}
}

func TestNo200UnlessEveryAcceptedEventIsAcknowledged(t *testing.T) {
	b := newBench(t, nil)
	b.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: prefix + "raw.interaction", Err: kerr.TopicAuthorizationFailed})
	if code := codeOf(t, b.do(request{body: array(viewer("e1"), like("e2"))}), 503); code != "kafka_unavailable" {
		t.Errorf("code %s", code)
	}
	if got := b.metric("livemeter_gateway_events_total", "outcome=accepted"); got != 0 {
		t.Errorf("metric accepted = %v after a 503", got)
	}
	b.post(array(viewer("e1"), like("e2")), 200)
	b.records(3) // e1 twice
}

func TestPassingFaultsOfTheBrokerAreNotTheSendersConcern(t *testing.T) {
	b := newBench(t, nil)
	b.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 2})
	b.post(array(viewer("e1")), 200)
	b.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend})
	b.post(array(viewer("e2")), 200)
	b.records(2) // idempotent: the repeated append is not repeated in the log
}

func TestKafkaGone(t *testing.T) {
	b := newBench(t, func(c *Config) { c.ProduceTimeout = 200 * time.Millisecond })
	b.kafka.Close()
	if code := codeOf(t, b.do(request{body: array(viewer("e1"))}), 503); !strings.HasPrefix(code, "kafka_") {
		t.Errorf("code %s", code)
	}
	b.post(array(`{}`), 200)                                                      // nothing to store, nothing to wait for
	for again := time.NewTicker(askEvery / 10); b.srv.Ready() == nil; <-again.C { // until it is asked again
	}
}

// What a slow Kafka holds back counts until it is settled, not until its sender has been answered.
func TestInFlightBytesAreBounded(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.ProduceTimeout = 300 * time.Millisecond
		c.MaxInFlightBytes = minInFlightBytes
	})
	b.postUntilStored(array(viewer("e0"))) // from here on a batch is on its way at once
	_, release := b.holdKafka()
	big := array(filler(410_000)...)
	b.post(big, 503)
	b.post(big, 503)
	if resp := b.post(big, 429); resp.Header.Get("Retry-After") != "1" || codeOf(t, resp, 429) != "busy" {
		t.Errorf("Retry-After %q: %s", resp.Header.Get("Retry-After"), text(resp))
	}
	if held := b.metric("livemeter_gateway_in_flight_bytes"); held < float64(2*len(big)) || held > minInFlightBytes {
		t.Errorf("in_flight_bytes %v with two batches of %d held", held, len(big))
	}
	release()
	b.postUntilStored(array(viewer("e1"))) // same partition: settled behind the two
	b.postUntilStored(big)
	if held := b.metric("livemeter_gateway_in_flight_bytes"); held != 0 {
		t.Errorf("in_flight_bytes %v with nothing in flight", held)
	}
}

// A sender that hangs up cancels nobody's records, its own included.
func TestSenderGone(t *testing.T) {
	b := newBench(t, nil)
	arrived, release := b.holdKafka()
	ctx, hangUp := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, b.url+eventsPath, strings.NewReader(array(viewer("e1"))))
		_, err := http.DefaultClient.Do(req)
		gone <- err
	}()
	<-arrived
	hangUp()
	if err := <-gone; err == nil {
		t.Fatal("an answer before Kafka's")
	}
	release()
	b.post(array(viewer("e2")), 200)
	b.records(2)
}

func TestStoppingFinishesWhatIsInFlight(t *testing.T) {
	b := newBench(t, nil)
	addr, err := b.srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- b.srv.Run(ctx) }()
	arrived, release := b.holdKafka()
	status := make(chan string, 1)
	go func() {
		resp, err := http.Post("http://"+addr.String()+eventsPath, "application/json", strings.NewReader(array(viewer("e1"))))
		if err != nil {
			status <- err.Error()
			return
		}
		resp.Body.Close()
		status <- resp.Status
	}()
	<-arrived
	stop()
	release()
	if got := <-status; got != "200 OK" {
		t.Errorf("the request in flight got %s", got)
	}
	if err := <-ran; err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := http.Post("http://"+addr.String()+eventsPath, "application/json", strings.NewReader("[]")); err == nil {
		t.Error("a request after the end was answered")
	}
	b.records(1)
}

func TestPortInUse(t *testing.T) {
	first := newBench(t, nil)
	addr, err := first.srv.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer first.srv.ln.Close()
	second := newBench(t, func(c *Config) { c.Addr = addr.String() })
	err = second.srv.Run(t.Context())
	_, port, _ := strings.Cut(addr.String(), ":")
	if err == nil || !strings.Contains(err.Error(), "port "+port+" is in use") || !strings.Contains(err.Error(), "--gateway-addr") {
		t.Errorf("%v", err)
	}
}

func TestConfigNamesAllMistakes(t *testing.T) {
	err := Config{Addr: "0.0.0.0:99999", AllowedOrigins: []string{"https://shop.example/", "shop"}, RatePerToken: -1, MaxInFlightBytes: 5,
		ProduceTimeout: time.Minute, ReadTimeout: -1, Tokens: []Token{{Name: "a", Secret: "short"}, {Name: "a", Secret: secretA, Rate: -2}}}.Validate()
	for _, want := range []string{"99999", "allowed_origins[0]", "allowed_origins[1]", "rate_per_token", "max_in_flight_bytes", "produce_timeout", "read_timeout",
		"tokens[0]", "tokens[1] (\"a\"): want a name", "rate -2"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("no word of %s in: %v", want, err)
		}
	}
	if strings.Contains(fmt.Sprint(err), "short\"") {
		t.Errorf("the error holds a secret: %v", err)
	}
}

func TestOpenOnlyOnLoopback(t *testing.T) {
	for addr, ok := range map[string]bool{"127.0.0.1:8080": true, "localhost:8080": true, "[::1]:8080": true, "": true,
		":8080": false, "0.0.0.0:8080": false, "10.0.0.1:8080": false, "[::]:8080": false, "shop.example:80": false} {
		if err := (Config{Addr: addr}).Validate(); (err == nil) != ok {
			t.Errorf("%q without tokens: %v", addr, err)
		}
		if err := (Config{Addr: addr, AllowOpen: true}).Validate(); err != nil {
			t.Errorf("%q allowed explicitly: %v", addr, err)
		}
		if err := (Config{Addr: addr, Tokens: []Token{{Name: "a", Secret: secretA}}}).Validate(); err != nil {
			t.Errorf("%q with a token: %v", addr, err)
		}
	}
}

func TestTwoGatewaysOfOneRegistryAreAnErrorNotAPanic(t *testing.T) {
	reg := prometheus.NewRegistry()
	client, err := kgo.NewClient(ClientOpts()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i, ok := range []bool{true, false} {
		if _, err := New(Config{}, client, "", zap.NewNop(), reg); (err == nil) != ok {
			t.Errorf("gateway %d: %v", i, err)
		}
	}
}
