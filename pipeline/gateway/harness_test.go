package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/livemeter/livemeter/pipeline/event"
)

const (
	secretA = "a-secret-of-32-bytes-0123456789ab"
	secretB = "b-secret-of-32-bytes-0123456789ab"
	prefix  = "test."
)

// received is the fixed receive time of all tests.
var received = time.UnixMilli(1_795_312_800_900).UTC()

// bench is a gateway in front of a Kafka of its own. Every answer it gives is held to openapi.yaml.
type bench struct {
	t       *testing.T
	kafka   *kfake.Cluster
	srv     *Server
	url     string
	reg     *prometheus.Registry
	clock   *clock
	openapi *spec
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) get() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

func newBench(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	topics := make([]string, event.NumTopics)
	for i, name := range event.TopicNames {
		topics[i] = prefix + name
	}
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, topics...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	client, err := kgo.NewClient(append(ClientOpts(), kgo.SeedBrokers(kafka.ListenAddrs()...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	b := &bench{t: t, kafka: kafka, reg: prometheus.NewRegistry(), clock: &clock{now: received}, openapi: loadSpec(t)}
	cfg := Config{Addr: "127.0.0.1:0", Now: b.clock.get}
	if change != nil {
		change(&cfg)
	}
	core, logs := observer.New(zap.DebugLevel)
	if b.srv, err = New(cfg, client, prefix, zap.New(core), b.reg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checkNoSecret(t, logs) })
	go b.srv.health.watch(t.Context(), client.Ping) // as Run does
	front := httptest.NewUnstartedServer(b.srv.Handler())
	front.Config.ReadTimeout = b.srv.cfg.ReadTimeout
	front.Start()
	t.Cleanup(front.Close)
	b.url = front.URL
	return b
}

func checkNoSecret(t *testing.T, logs *observer.ObservedLogs) {
	for _, e := range logs.All() {
		if line := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(line, secretA) || strings.Contains(line, secretB) {
			t.Errorf("a log line holds a token's secret: %s", line)
		}
	}
}

// request to the gateway; the zero value of each field is the usual.
type request struct {
	method, path, body, media, encoding string
	header                              map[string]string
}

// do sends it and checks the answer against openapi.yaml.
func (b *bench) do(q request) *http.Response {
	b.t.Helper()
	if q.method == "" {
		q.method = http.MethodPost
	}
	if q.path == "" {
		q.path = eventsPath
	}
	req, err := http.NewRequest(q.method, b.url+q.path, strings.NewReader(q.body))
	if err != nil {
		b.t.Fatal(err)
	}
	if q.media == "" {
		q.media = "application/json"
	}
	if q.media != "none" {
		req.Header.Set("Content-Type", q.media)
	}
	if q.encoding != "" {
		req.Header.Set("Content-Encoding", q.encoding)
	}
	for k, v := range q.header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	b.openapi.check(b.t, q.method, resp)
	return resp
}

// post sends a body as application/json and wants a status.
func (b *bench) post(body string, status int) *http.Response {
	b.t.Helper()
	resp := b.do(request{body: body})
	wantStatus(b.t, resp, status)
	return resp
}

// postUntilStored sends a batch as an SDK does: again after a 429 or 503. A busy machine, or a partition whose older batches run out of
// time, may cost a round.
func (b *bench) postUntilStored(body string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		switch resp := b.do(request{body: body}); resp.StatusCode {
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			b.clock.advance(time.Second)
		default:
			wantStatus(b.t, resp, http.StatusOK)
			return
		}
	}
	b.t.Fatal("the batch was never stored")
}

func wantStatus(t *testing.T, resp *http.Response, status int) {
	t.Helper()
	if resp.StatusCode != status {
		t.Fatalf("status %d, want %d: %s", resp.StatusCode, status, text(resp))
	}
}

// text reads an answer's body, which stays readable.
func text(resp *http.Response) string {
	data, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return string(data)
}

// stored counts the records of all raw topics.
func (b *bench) stored() (n int) {
	for _, name := range event.TopicNames {
		n += int(b.kafka.PartitionInfo(prefix+name, 0).HighWatermark)
	}
	return n
}

// records reads exactly n records of all raw topics, and fails if there are more or fewer.
func (b *bench) records(n int) []*kgo.Record {
	b.t.Helper()
	if got := b.stored(); got != n {
		b.t.Fatalf("Kafka holds %d records, want %d", got, n)
	}
	topics := make([]string, 0, event.NumTopics)
	for _, name := range event.TopicNames {
		topics = append(topics, prefix+name)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.kafka.ListenAddrs()...), kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var out []*kgo.Record
	for len(out) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			b.t.Fatalf("after %d of %d records: %v", len(out), n, err)
		}
		out = append(out, fetches.Records()...)
	}
	return out
}

// holdKafka lets no produce request through until release is called. arrived gets a value for each that waits.
func (b *bench) holdKafka() (arrived <-chan struct{}, release func()) {
	gate, seen := make(chan struct{}), make(chan struct{}, 100)
	b.kafka.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		seen <- struct{}{}
		b.kafka.SleepControl(func() { <-gate })
		return nil, nil, false
	})
	release = sync.OnceFunc(func() { close(gate) })
	b.t.Cleanup(release)
	return seen, release
}

// metric sums a family's counters or gauges whose labels hold all of want.
func (b *bench) metric(name string, want ...string) (sum float64) {
	families, err := b.reg.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			if f.GetName() == name && containsAll(labels, want) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

func containsAll(have, want []string) bool {
	joined := "," + strings.Join(have, ",") + ","
	for _, w := range want {
		if !strings.Contains(joined, ","+w+",") {
			return false
		}
	}
	return true
}

func viewer(id string) string { return withFields(id, `"type":"viewer","action":"heartbeat"`) }
func like(id string) string   { return withFields(id, `"type":"interaction","kind":"like"`) }

// withFields is a valid envelope with more fields behind it.
func withFields(id, more string) string {
	return fmt.Sprintf(`{"event_id":%q,"schema_version":"1-0-0","platform":"douyin","room_id":"r1","live_session_id":"s1","user_id":"u1","view_id":"v1",`+
		`"sdk_instance_id":"i1","seq":1,"client_ts":1795312800123,"sent_ts":1795312800450,%s}`, id, more)
}

func array(events ...string) string { return "[" + strings.Join(events, ",") + "]" }

func gzipped(s string) string {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	io.WriteString(w, s)
	w.Close()
	return buf.String()
}

// zstdStream compresses as a streaming encoder does: no content size, and its usual window of 8 MiB.
func zstdStream(s string) string {
	var buf bytes.Buffer
	w, err := zstd.NewWriter(&buf, zstd.WithWindowSize(8<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	for len(s) > 0 { // flushing keeps it from knowing the size when it writes the header
		n := min(len(s), 1<<20)
		io.WriteString(w, s[:n])
		w.Flush()
		s = s[n:]
	}
	w.Close()
	return buf.String()
}

func zstdBlock(s string) string {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return string(w.EncodeAll([]byte(s), nil))
}
