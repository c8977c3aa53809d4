package gateway

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/pipeline/event"
)

// TestOpenAPIIsWhatTheGatewayAnswers produces every status, error code, header, field and reason that openapi.yaml documents by a real
// request; harness.do refuses any that it does not document.
func TestOpenAPIIsWhatTheGatewayAnswers(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.Tokens = []Token{{Name: "web", Secret: secretA}, {Name: "slow", Secret: secretB, Rate: 1}}
		c.AllowedOrigins = []string{"https://shop.example"}
	})
	send := func(q request, status int) {
		t.Helper()
		if q.header == nil {
			q.header = map[string]string{"Authorization": "Bearer " + secretA}
		}
		wantStatus(t, b.do(q), status)
	}
	send(request{body: strings.Join(invalidOfEachReason(), "\n"), media: "application/x-ndjson"}, 200)
	send(request{body: array(viewer("e1"))}, 200)
	send(request{body: "[}"}, 400)
	send(request{body: " "}, 400)
	send(request{body: "no gzip", encoding: "gzip"}, 400)
	send(request{body: array(viewer("e1")), header: map[string]string{"Authorization": "Bearer wrong"}}, 401)
	send(request{path: "/v2/events"}, 404)
	send(request{method: http.MethodPut}, 405)
	send(request{body: strings.Repeat(" ", MaxBodyBytes+1)}, 413)
	send(request{body: strings.Repeat("1\n", MaxEvents+1)}, 413)
	send(request{media: "application/xml"}, 415)
	send(request{encoding: "br"}, 415)
	send(request{method: http.MethodOptions, header: map[string]string{"Origin": "https://shop.example"}}, 204)
	send(request{method: http.MethodOptions, header: map[string]string{"Origin": "https://evil.example"}}, 403)
	send(request{body: array(viewer("e1")), header: map[string]string{"Origin": "https://evil.example", "Authorization": "Bearer " + secretA}}, 403)
	slow := map[string]string{"Authorization": "Bearer " + secretB}
	send(request{body: strings.Repeat("{}\n", MaxEvents), header: slow}, 200)
	send(request{body: "{}", header: slow}, 429) // rate_exceeded
	b.halfARequest(true, 400)
	b.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed})
	send(request{body: array(viewer("e2"))}, 503) // kafka_unavailable

	impatient := newBench(t, func(c *Config) { c.ReadTimeout = 100 * time.Millisecond })
	impatient.openapi = b.openapi
	impatient.halfARequest(false, 408)

	held := newBench(t, func(c *Config) { c.ProduceTimeout, c.MaxInFlightBytes = 300*time.Millisecond, minInFlightBytes })
	held.openapi = b.openapi
	held.postUntilStored(array(viewer("e3")))
	_, release := held.holdKafka()
	big := array(filler(410_000)...)
	held.post(big, 503) // kafka_slow
	held.post(big, 503)
	held.post(big, 429) // busy: the client still holds the first two
	release()

	poisoned := newBench(t, nil)
	poisoned.openapi = b.openapi
	poisoned.poison()
	poisoned.post(array(viewer("poison")), 200)

	gone := newBench(t, nil)
	gone.openapi = b.openapi
	wantStatus(t, gone.do(request{method: http.MethodGet, path: readyPath}), 200)
	gone.kafka.Close()
	for again := time.NewTicker(askEvery / 10); gone.do(request{method: http.MethodGet, path: readyPath}).StatusCode != 503; <-again.C { // it is asked every second
	}

	for _, want := range b.openapi.documented() {
		if !b.openapi.seen[want] {
			t.Errorf("openapi.yaml documents %q, no answer had it", want)
		}
	}
}

// halfARequest sends less body than it declares and then hangs up its sending half, or waits.
func (b *bench) halfARequest(hangUp bool, status int) {
	b.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s?token=%s HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\n[", eventsPath, secretA)
	if hangUp {
		conn.(*net.TCPConn).CloseWrite()
	}
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.openapi.check(b.t, http.MethodPost, resp)
	wantStatus(b.t, resp, status)
}

// invalidOfEachReason has one line for each reason that a gateway can answer.
func invalidOfEachReason() []string {
	order := func(paid int) string {
		return withFields("o1", fmt.Sprintf(`"type":"order","order_id":"o1","order_version":1,"state":"paid","buyer_id":"u1","currency":"CNY","goods_minor":100,"paid_minor":%d,`+
			`"items":[{"line_id":"1","sku_id":"k","qty":1,"paid_minor":100}]`, paid))
	}
	return []string{
		viewer("good"),
		withFields("e", `"type":"viewer","action":"leave","pad":"`+strings.Repeat("x", event.MaxRecordBytes)+`"`),
		withFields("e", `"type":"viewer","action":"leave","pad":`+strings.Repeat("[", 17)+strings.Repeat("]", 17)),
		`{"event_id":"e"`,
		viewer("e") + "x",
		withFields("e", `"type":"viewer"`),
		strings.Replace(order(100), `"qty":1`, `"qty":1.5`, 1),
		withFields("e", `"type":"click"`),
		strings.Replace(viewer("e"), "1-0-0", "2-0-0", 1),
		withFields("e", `"type":"viewer","action":"jump"`),
		withFields("e", `"type":"viewer","action":"heartbeat","watch_ms_delta":-1`),
		order(99),
		order(100),
	}
}

// filler is a valid batch of about so many bytes.
func filler(size int) (events []string) {
	pad := strings.Repeat("x", 20_000)
	for n := 0; n < size; n += 20_400 {
		events = append(events, withFields(fmt.Sprint("f", n), `"type":"viewer","action":"heartbeat","pad":"`+pad+`"`))
	}
	return events
}

// The document repeats limits and names of the code; here they are held together.
func TestOpenAPIHasTheCodesLimits(t *testing.T) {
	s := loadSpec(t)
	reasons := map[string]bool{}
	for _, r := range s.at("components", "schemas", "Rejected", "properties", "reason", "enum").([]any) {
		reasons[r.(string)] = true
	}
	for r := event.ReasonNone + 1; r < event.NumReasons; r++ {
		if want := r != event.WrongTopic; reasons[r.String()] != want { // the gateway chooses the topic itself
			t.Errorf("reason %s documented: %v, want %v", r, reasons[r.String()], want)
		}
	}
	if got := fmt.Sprint(s.at("components", "schemas", "Batch", "maxItems")); got != fmt.Sprint(MaxEvents) {
		t.Errorf("maxItems %s, want %d", got, MaxEvents)
	}
	text, _ := s.at("paths", eventsPath, "post", "description").(string)
	if !strings.Contains(text, "500 000 bytes") || MaxBodyBytes != 500_000 || !strings.Contains(text, "2 500 events") {
		t.Errorf("the description does not name the limits of the code: %s", text)
	}
}

func TestOpenAPIExampleIsAccepted(t *testing.T) {
	b := newBench(t, nil)
	example := b.openapi.at("paths", eventsPath, "post", "requestBody", "content", "application/json", "examples", "batch", "value")
	if err := b.openapi.compile(t, "components", "schemas", "Batch").Validate(example); err != nil {
		t.Error(err)
	}
	body, _ := json.Marshal(example)
	var answer Answer
	if err := json.Unmarshal([]byte(text(b.post(string(body), 200))), &answer); err != nil || answer.Accepted != 2 || answer.Rejected != 0 {
		t.Errorf("%+v, %v", answer, err)
	}
}
