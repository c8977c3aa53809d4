package service_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

const tokenSecret = "token-secret-0123456789"

// planted are the texts that must not be found. They begin alike so that one search finds all of them.
const plant = "PLANTED"

// persons are valid events with an id or a comment of a person wherever there can be one.
var persons = map[event.Topic][]string{
	event.TopicViewer: {
		`{ENV,"type":"viewer",ROOM,"user_id":"PLANTED-user","anon_id":"PLANTED-anon-beside","action":"enter","entry_source":"paid","touch":{"channel":"ads","campaign_id":"c1","click_id":"ck1","kind":"click"}}`,
		`{ENV,"type":"viewer",ROOM,"anon_id":"PLANTED-anon","action":"heartbeat","watch_ms_delta":5000,"PLANTED-field":"PLANTED-value"}`,
	},
	event.TopicInteraction: {
		`{ENV,"type":"interaction",ROOM,"user_id":"PLANTED-user","kind":"comment","comment_text":"PLANTED-comment 你好","comment_len":7}`,
		`{ENV,"type":"interaction",ROOM,"anon_id":"PLANTED-anon","kind":"gift","gift_value_minor":5,"currency":"CNY","comment_text":"PLANTED-comment"}`,
	},
	event.TopicOrder: {
		`{ENV,"type":"order",ROOM,"order_id":"o1","order_version":1,"state":"paid","buyer_id":"PLANTED-buyer","user_id":"PLANTED-user","anon_id":"PLANTED-anon","currency":"CNY","goods_minor":100,` +
			`"paid_minor":100,"items":[{"line_id":"1","sku_id":"s1","qty":1,"paid_minor":100,"note":"PLANTED-note"}]}`,
		`{ENV,"type":"order","order_id":"o1","order_version":2,"state":"refunded","buyer_id":"PLANTED-buyer","currency":"CNY","goods_minor":100,"paid_minor":100,` +
			`"items":[{"line_id":"1","sku_id":"s1","qty":1,"paid_minor":100}],"refund":{"refund_id":"rf1","line_id":"1","minor":50,"reason":"PLANTED-reason"}}`,
	},
	event.TopicCost:  {`{ENV,"type":"cost","user_id":"PLANTED-user","cost_id":"c1","cost_version":1,"channel":"ads","kind":"ads","spend_minor":5,"currency":"CNY","period_start":1,"period_end":2}`},
	event.TopicStock: {`{ENV,"type":"stock",ROOM,"anon_id":"PLANTED-anon","sku_id":"s1","available":5,"stock_version":1,"ts":1}`},
}

// broken makes invalid records of a valid one, with a planted text also in the place that is wrong.
func broken(e string) []string {
	set := func(old, new string) string { return strings.Replace(e, old, new, 1) }
	all := []string{
		e + "PLANTED", e[:len(e)-1], `"PLANTED"`, "PLANTED", e + strings.Repeat(" ", 32<<10),
		set(`"type":"`, `"type":"PLANTED`), set(`"schema_version":"1-0-0"`, `"schema_version":"PLANTED"`), set(`"seq":1`, `"seq":"PLANTED"`),
		set(`"event_id":"`, `"event_id":"`+strings.Repeat("PLANTED", 30)), set(`"platform":"my"`, `"platform":"PLANTED\n"`),
		set(`{`, `{"PLANTED":[[[[[[[[[[[[[[[[[[[[`), set(`"kind":"`, `"kind":"PLANTED`), set(`"action":"`, `"action":"PLANTED`), set(`"state":"`, `"state":"PLANTED`),
		set(`"PLANTED-user"`, `"`+strings.Repeat("PLANTED", 30)+`"`), set(`"PLANTED-user"`, `{"PLANTED":1}`), set(`"PLANTED-buyer"`, `["PLANTED"]`),
		set(`"currency":"CNY"`, `"currency":"PLANTED"`),
	}
	return slices.DeleteFunc(all, func(b string) bool { return b == e })
}

func concrete(e string, n int) string {
	return strings.NewReplacer("ENV", fmt.Sprintf(`"event_id":"e%d","schema_version":"1-0-0","platform":"my","sdk_instance_id":"i%d","seq":1,"client_ts":1795312800123,"sent_ts":1795312800123`, n, n),
		"ROOM", `"room_id":"room-control","live_session_id":"ls","view_id":"v1"`).Replace(e)
}

// TestNoPersonLeavesTheCollector plants ids and comments everywhere and looks for them everywhere.
func TestNoPersonLeavesTheCollector(t *testing.T) {
	for _, fused := range []bool{true, false} {
		t.Run(fmt.Sprintf("fused=%v", fused), func(t *testing.T) {
			p := start(t, fused, func(c *config.Config) { c.Gateway.Tokens = []config.Token{{Name: "sdk", Secret: tokenSecret}} })
			valid, invalid := p.sendPersons()
			p.throughGateway()
			p.drain()
			if got := p.query("SELECT sum(records) FROM $db.outcomes WHERE outcome = 'accepted' AND source_topic = 'raw.order'"); got != "2" {
				t.Errorf("%s orders are accepted, want 2: the search would look at nothing", got)
			}
			if got := p.query("SELECT count() FROM $db.rejected WHERE position(original, 'PLANTED') > 0"); got != fmt.Sprint(invalid) {
				t.Errorf("%s of %d invalid records (%d valid) are in the table rejected", got, invalid, valid)
			}
			for path, want := range map[string]int{"/metrics": 200, "/readyz": 200, "/healthz": 200, "/debug/pprof/cmdline": 200, "/debug/pprof/goroutine?debug=2": 200} {
				status, body := p.page(path)
				p.clean(path, body)
				if status != want {
					t.Errorf("%s: %d", path, status)
				}
			}
			p.searchTables()
			p.stop() // the last checkpoint and the last lines of the log too
			p.searchTopics()
			p.clean("the log", p.logs.String())
			if !strings.Contains(p.logs.String(), `"level":"debug"`) && !strings.Contains(p.logs.String(), `"level":"info"`) {
				t.Error("there are no log lines to search")
			}
		})
	}
}

// sendPersons plants the valid and the invalid events in Kafka.
func (p *pipeline) sendPersons() (valid, invalid int) {
	var out []*kgo.Record
	add := func(topic event.Topic, e string) {
		r := &kgo.Record{Topic: event.TopicNames[topic], Key: []byte("PLANTED-key"), Value: []byte(e), Timestamp: received(),
			Headers: []kgo.RecordHeader{{Key: "PLANTED-header", Value: []byte("PLANTED")}}}
		out = append(out, r)
		if event.NewDecoder().Decode(topic, r.Value, new(event.Event)).Reason == event.ReasonNone {
			valid++
		} else {
			invalid++
		}
	}
	for topic, events := range persons {
		for _, e := range events {
			e = concrete(e, len(out))
			add(topic, e)
			for _, b := range broken(e) {
				add(topic, b)
			}
		}
	}
	p.send(out...)
	return valid, invalid
}

// throughGateway posts the same, and looks at what the gateway answers.
func (p *pipeline) throughGateway() {
	p.t.Helper()
	var bodies []string
	for _, events := range persons {
		for _, e := range events {
			e = strings.ReplaceAll(concrete(e, 9000), `"event_id":"e9000"`, `"event_id":"e9000","x":"PLANTED"`)
			bad := slices.DeleteFunc(broken(e), func(b string) bool {
				return event.NewDecoder().DecodeAny([]byte(strings.TrimSpace(b)), new(event.Event)).Reason == event.ReasonNone
			})
			bodies = append(bodies, strings.Join(bad, "\n"), "["+e+",PLANTED]", "["+e+",{"+e)
		}
	}
	for _, body := range bodies {
		for _, header := range []string{"Bearer " + tokenSecret, "Bearer PLANTED" + tokenSecret} {
			req, err := http.NewRequest("POST", "http://"+p.gateway+"/v1/events?PLANTED=PLANTED", strings.NewReader(body))
			if err != nil {
				p.t.Fatal(err)
			}
			req.Header.Set("Authorization", header)
			req.Header.Set("Content-Type", "text/plain")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				p.t.Fatal(err)
			}
			answer, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			p.clean("an answer of the gateway", string(answer))
		}
	}
}

// clean fails where a planted text, the key or a token's secret is in what was found, as it is or written in hexadecimal or base64.
func (p *pipeline) clean(where, found string) {
	p.t.Helper()
	for _, secret := range []string{plant, testKey, tokenSecret} {
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))), base64.RawStdEncoding.EncodeToString([]byte(secret[:6]))} {
			if at := strings.Index(found, form); at >= 0 {
				p.t.Errorf("%s holds %q: …%.200q…", where, form, found[max(0, at-100):])
			}
		}
	}
	if raw, _ := hex.DecodeString(testKey); strings.Contains(found, string(raw)) {
		p.t.Errorf("%s holds the pseudonym key", where)
	}
}

// searchTopics looks at every topic but the raw ones and the dead letters: keys, values, headers.
func (p *pipeline) searchTopics() {
	p.t.Helper()
	topics, err := p.adm.ListTopics(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	control := map[string]bool{}
	for _, name := range topics.Names() {
		if strings.HasPrefix(name, "raw.") || name == runtime.TopicRejected {
			continue
		}
		var all bytes.Buffer
		for _, r := range p.records(name) {
			fmt.Fprintf(&all, "%s\n%s\n%v\n", r.Key, r.Value, r.Headers)
		}
		p.clean("topic "+name, all.String())
		control[name] = strings.Contains(all.String(), "room-control")
	}
	held := 0
	for _, found := range control {
		if found {
			held++
		}
	}
	if !control[runtime.TopicEvents] || held < 2 {
		p.t.Errorf("the search would not find what is there: %v", control)
	}
}

// searchTables looks at every column of every table and view but those of the dead letters, and at what the server remembers of statements.
func (p *pipeline) searchTables() {
	p.t.Helper()
	control := 0
	for table := range strings.SplitSeq(p.query("SELECT concat(database, '.', name) FROM system.tables WHERE database = '$db' AND name NOT IN ('rejected', 'rejected_rows') "+
		"OR database = 'system' AND name IN ('query_log', 'text_log', 'errors', 'processes', 'asynchronous_insert_log', 'query_thread_log', 'trace_log', 'crash_log')"), "\n") {
		found := p.query("SELECT * FROM " + table + " FORMAT TSVRaw")
		if strings.HasPrefix(table, "system.") { // our own question stands there
			found = strings.ReplaceAll(found, "position(original, 'PLANTED')", "")
			found = strings.ReplaceAll(found, "position(original, \\'PLANTED\\')", "")
		}
		p.clean("table "+table, found)
		if strings.Contains(found, "room-control") {
			control++
		}
	}
	if control < 4 {
		p.t.Errorf("only %d tables hold the room of the planted events: the search would not find what is there", control)
	}
}

// TestOriginalBytesLiveAsLongEverywhere: topic, configuration and table have one bound.
func TestOriginalBytesLiveAsLongEverywhere(t *testing.T) {
	for more, want := range map[time.Duration]bool{0: true, time.Hour: false} {
		c := config.Default()
		c.Topics.RejectedRetention = runtime.MaxRejectedRetention + more
		if err := service.Validate(c, config.Client); (err == nil) != want {
			t.Errorf("topics.rejected_retention %v: %v", c.Topics.RejectedRetention, err)
		}
	}
	ttl := fmt.Sprintf("TTL toDateTime(received_ts) + toIntervalDay(%d)", runtime.MaxRejectedRetention/(24*time.Hour))
	if !slices.ContainsFunc(clickhouse.DDL(clickhouse.Config{}), func(ddl string) bool {
		return strings.Contains(ddl, ".rejected_rows") && strings.Contains(ddl, ttl)
	}) {
		t.Errorf("no table rejected_rows with %s", ttl)
	}
}
