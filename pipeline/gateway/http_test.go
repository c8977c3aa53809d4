package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func answerOf(t *testing.T, resp *http.Response) (a Answer) {
	t.Helper()
	wantStatus(t, resp, http.StatusOK)
	if err := json.Unmarshal([]byte(text(resp)), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func codeOf(t *testing.T, resp *http.Response, status int) string {
	t.Helper()
	wantStatus(t, resp, status)
	var p problem
	if err := json.Unmarshal([]byte(text(resp)), &p); err != nil {
		t.Fatal(err)
	}
	return p.Code
}

func TestEachEventIsAnsweredAndOnlyAcceptedOnesAreStored(t *testing.T) {
	b := newBench(t, nil)
	bad := strings.Replace(viewer("bad-type"), `"type":"viewer"`, `"type":"wiever"`, 1)
	a := answerOf(t, b.do(request{body: array(viewer("ok-1"), bad, `7`, like("ok-2"))}))
	want := Answer{Accepted: 2, Rejected: 2, Results: []Result{
		{Index: 0, EventID: "ok-1", Status: "accepted"},
		{Index: 1, EventID: "bad-type", Status: "rejected", Reason: "unknown_type", Field: "type"},
		{Index: 2, Status: "rejected", Reason: "not_json"},
		{Index: 3, EventID: "ok-2", Status: "accepted"}}}
	if fmt.Sprint(a) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", a, want)
	}
	b.records(2)
	if got := b.metric("livemeter_gateway_events_total", "outcome=accepted"); got != 2 {
		t.Errorf("metric accepted = %v, want 2", got)
	}
	if got := b.metric("livemeter_gateway_events_total", "outcome=rejected", "reason=unknown_type"); got != 1 {
		t.Errorf("metric rejected unknown_type = %v, want 1", got)
	}
}

// Records carry the original bytes, the receive time, a topic by type and a key by viewer.
func TestRecords(t *testing.T) {
	b := newBench(t, nil)
	anon := strings.Replace(viewer("e2"), `"user_id":"u1"`, `"anon_id":"a1"`, 1)
	both := strings.Replace(viewer("e3"), `"user_id":"u1"`, `"user_id":"u2","anon_id":"a2"`, 1)
	events := map[string][2]string{ // event → topic, key
		viewer("e1"):              {"raw.viewer", "douyin|u1"},
		anon:                      {"raw.viewer", "douyin|a1"},
		both:                      {"raw.viewer", "douyin|u2"},
		like("e4") + " ":          {"raw.interaction", "douyin|u1"},
		invalidOfEachReason()[12]: {"raw.order", "douyin|u1"},
		withFields("e6", `"type":"cost","cost_id":"c1","cost_version":1,"channel":"feed_ads","kind":"ads","spend_minor":5,"currency":"CNY","period_start":1,"period_end":2`): {"raw.cost", "douyin|c1"},
		withFields("e7", `"type":"stock","sku_id":"k1","available":-3,"stock_version":1,"ts":1795312800450`):                                                                 {"raw.stock", "douyin|k1"},
		`{ "note" : {"type":"order"}, ` + like("e8")[1:]: {"raw.interaction", "douyin|u1"},
	}
	var body []string
	for e := range events {
		body = append(body, e)
	}
	if a := answerOf(t, b.do(request{body: array(body...)})); a.Rejected != 0 {
		t.Fatalf("%+v", a)
	}
	for _, r := range b.records(len(events)) {
		want, ok := events[string(r.Value)]
		if !ok {
			want, ok = events[string(r.Value)+" "]
		}
		if !ok || r.Topic != prefix+want[0] || string(r.Key) != want[1] || !r.Timestamp.Equal(received) {
			t.Errorf("topic %s key %s time %v value %s; want %q at %v", r.Topic, r.Key, r.Timestamp, r.Value, want, received)
		}
	}
}

func TestBodies(t *testing.T) {
	b := newBench(t, nil)
	two, lines := array(viewer("e1"), viewer("e2")), viewer("e1")+"\r\n\n"+viewer("e2")+"\n"
	for name, q := range map[string]request{
		"array":                  {body: two},
		"array with charset":     {body: two, media: "application/json; charset=UTF-8"},
		"array by sendBeacon":    {body: two, media: "text/plain;charset=UTF-8"},
		"lines":                  {body: lines, media: "application/x-ndjson"},
		"lines by sendBeacon":    {body: lines, media: "text/plain"},
		"lines called JSON":      {body: lines},
		"no media type":          {body: two, media: "none"},
		"identity":               {body: two, encoding: "identity"},
		"gzip":                   {body: gzipped(two), encoding: "gzip"},
		"gzip, two members":      {body: gzipped(two[:100]) + gzipped(two[100:]), encoding: "GZIP"},
		"zstd":                   {body: zstdBlock(two), encoding: "zstd"},
		"zstd with 8 MiB window": {body: zstdStream(two), encoding: "zstd"},
	} {
		if a := answerOf(t, b.do(q)); a.Accepted != 2 || a.Rejected != 0 {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// What curl sends by itself is refused with the header to send instead.
func TestAnotherMediaTypeIsToldTheHeader(t *testing.T) {
	resp := newBench(t, nil).do(request{body: viewer("e1"), media: "application/x-www-form-urlencoded"})
	if said := text(resp); resp.StatusCode != http.StatusUnsupportedMediaType || !strings.Contains(said, "header Content-Type: application/x-ndjson") {
		t.Errorf("%s: %s", resp.Status, said)
	}
}

func TestLineThatIsBrokenTaintsNoOther(t *testing.T) {
	b := newBench(t, nil)
	a := answerOf(t, b.do(request{body: viewer("e1") + "\n{\"event_id\":\n\xff\n" + viewer("e2"), media: "application/x-ndjson"}))
	if a.Accepted != 2 || a.Rejected != 2 || a.Results[3].EventID != "e2" || a.Results[1].Reason != "not_json" || a.Results[2].Reason != "not_json" {
		t.Errorf("%+v", a)
	}
}

func TestDamagedBodies(t *testing.T) {
	b := newBench(t, nil)
	two := array(viewer("e1"), viewer("e2"))
	for name, q := range map[string]request{
		"gzip cut":         {body: gzipped(two)[:50], encoding: "gzip"},
		"gzip and more":    {body: gzipped(two) + "x", encoding: "gzip"},
		"gzip empty":       {encoding: "gzip"},
		"zstd cut":         {body: zstdBlock(two)[:50], encoding: "zstd"},
		"zstd is gzip":     {body: gzipped(two), encoding: "zstd"},
		"zstd empty":       {encoding: "zstd"},
		"zstd wide window": {body: "\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00", encoding: "zstd"}, // declares 1 GiB
	} {
		if code := codeOf(t, b.do(q), 400); code != "bad_encoding" {
			t.Errorf("%s: %s", name, code)
		}
	}
	b.records(0)
}

func TestSizeLimits(t *testing.T) {
	b := newBench(t, nil)
	pad := func(n int) string { return array(viewer("e1")) + strings.Repeat(" ", n-len(array(viewer("e1")))) }
	bomb := strings.Repeat(" ", 64<<20)
	for name, c := range map[string]struct {
		q    request
		code string // "" is a 200
	}{
		"at the limit":          {request{body: pad(MaxBodyBytes)}, ""},
		"above":                 {request{body: pad(MaxBodyBytes + 1)}, "body_too_large"},
		"gzip at the limit":     {request{body: gzipped(pad(MaxBodyBytes)), encoding: "gzip"}, ""},
		"gzip above":            {request{body: gzipped(pad(MaxBodyBytes + 1)), encoding: "gzip"}, "body_too_large"},
		"zstd at the limit":     {request{body: zstdBlock(pad(MaxBodyBytes)), encoding: "zstd"}, ""},
		"zstd above":            {request{body: zstdBlock(pad(MaxBodyBytes + 1)), encoding: "zstd"}, "body_too_large"},
		"zstd stream at":        {request{body: zstdStream(pad(MaxBodyBytes)), encoding: "zstd"}, ""},
		"zstd stream above":     {request{body: zstdStream(pad(MaxBodyBytes + 1)), encoding: "zstd"}, "body_too_large"},
		"gzip bomb":             {request{body: gzipped(bomb), encoding: "gzip"}, "body_too_large"},
		"zstd bomb":             {request{body: zstdBlock(bomb), encoding: "zstd"}, "body_too_large"},
		"zstd bomb, streamed":   {request{body: zstdStream(bomb), encoding: "zstd"}, "body_too_large"},
		"events at the limit":   {request{body: strings.Repeat("1\n", MaxEvents)}, ""},
		"events above":          {request{body: strings.Repeat("1\n", MaxEvents+1)}, "too_many_events"},
		"array above":           {request{body: array(slices.Repeat([]string{"1"}, MaxEvents+1)...)}, "too_many_events"},
		"chunked, no length":    {request{body: pad(MaxBodyBytes + 1), header: map[string]string{"Expect": "100-continue"}}, "body_too_large"},
		"a deep event":          {request{body: "[" + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + "]"}, ""},
		"deep and never closed": {request{body: strings.Repeat("[", MaxBodyBytes)}, "bad_json"},
	} {
		t.Run(name, func(t *testing.T) {
			resp := b.do(c.q)
			switch c.code {
			case "":
				wantStatus(t, resp, 200)
			case "bad_json":
				wantStatus(t, resp, 400)
			default:
				if got := codeOf(t, resp, 413); got != c.code {
					t.Errorf("%s, want %s", got, c.code)
				}
			}
		})
	}
	if held := b.srv.budget.used.Load(); held != 0 {
		t.Errorf("%d bytes of the budget were never given back", held)
	}
}

func TestTokens(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.Tokens = []Token{{Name: "web", Secret: secretA}, {Name: "app", Secret: secretB}}
	})
	for _, c := range []struct {
		query, header string
		status        int
	}{
		{"", "", 401}, {"", "Bearer " + secretA, 200}, {"", "bearer  " + secretB, 200}, {"?token=" + secretB, "", 200},
		{"", "Bearer " + secretA[:31], 401}, {"", "Bearer " + secretA + "x", 401}, {"", "Basic " + secretA, 401}, {"", secretA, 401},
		{"?token=", "", 401}, {"?token=" + secretA, "Bearer wrong", 401}, // the header wins
	} {
		q := request{path: eventsPath + c.query, body: array(viewer("e1"))}
		if c.header != "" {
			q.header = map[string]string{"Authorization": c.header}
		}
		if resp := b.do(q); resp.StatusCode != c.status {
			t.Errorf("%+v: %d %s", c, resp.StatusCode, text(resp))
		}
	}
	b.records(3)
}

func TestRateOfATokenRefillsAndTouchesNoOther(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.Tokens = []Token{{Name: "web", Secret: secretA}, {Name: "app", Secret: secretB}}
		c.RatePerToken = 10
	})
	send := func(secret string, events int) *http.Response {
		return b.do(request{body: strings.Repeat("{}\n", events), header: map[string]string{"Authorization": "Bearer " + secret}})
	}
	wantStatus(t, send(secretA, 2000), 200) // a burst of one largest batch
	resp := send(secretA, 1005)
	if code := codeOf(t, resp, 429); code != "rate_exceeded" || resp.Header.Get("Retry-After") != "51" { // 505 events at 10/s
		t.Errorf("%s, Retry-After %q, want 51", code, resp.Header.Get("Retry-After"))
	}
	wantStatus(t, send(secretB, 2000), 200)
	b.clock.advance(51 * time.Second)
	wantStatus(t, send(secretA, 1005), 200)
}

func TestCORS(t *testing.T) {
	listed := newBench(t, func(c *Config) { c.AllowedOrigins = []string{"https://shop.example"} })
	star := newBench(t, func(c *Config) { c.AllowedOrigins = []string{"*"} })
	for _, c := range []struct {
		b                          *bench
		origin, allow, credentials string
	}{
		{listed, "https://shop.example", "https://shop.example", "true"}, {listed, "https://evil.example", "", ""}, {listed, "", "", ""},
		{star, "https://any.example", "*", ""},
	} {
		for _, q := range []request{{body: array(viewer("e1"))}, {body: "[}"}} { // errors too must be readable
			q.header = map[string]string{"Origin": c.origin}
			if c.origin == "" {
				q.header = nil
			}
			h := c.b.do(q).Header
			if h.Get("Access-Control-Allow-Origin") != c.allow || h.Get("Access-Control-Allow-Credentials") != c.credentials || h.Get("Vary") != "Origin" {
				t.Errorf("%q: %v", c.origin, h)
			}
		}
	}
	resp := listed.do(request{method: http.MethodOptions, header: map[string]string{"Origin": "https://shop.example",
		"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}})
	wantStatus(t, resp, 204)
	if got := resp.Header.Get("Access-Control-Allow-Headers"); got != "Authorization, Content-Type, Content-Encoding" {
		t.Errorf("allowed headers %q", got)
	}
}

// TestOriginsThatMaySend: browsers send text/plain to everybody without asking, so a page of a foreign origin is refused also when it just posts.
func TestOriginsThatMaySend(t *testing.T) {
	tokens := []Token{{Name: "web", Secret: secretA}}
	for name, c := range map[string]struct {
		b      *bench
		origin string
		sent   bool
	}{
		"no browser":            {newBench(t, nil), "", true},
		"foreign, none allowed": {newBench(t, nil), "https://evil.example", false},
		"foreign":               {newBench(t, func(c *Config) { c.AllowedOrigins = []string{"https://shop.example"} }), "https://evil.example", false},
		"foreign, with a token": {newBench(t, func(c *Config) { c.Tokens = tokens }), "https://evil.example", false},
		"null":                  {newBench(t, nil), "null", false},
		"another port":          {newBench(t, nil), "http://127.0.0.1:1", false},
		"its host at the end":   {newBench(t, nil), "http://evil.HOST", false},
		"its own":               {newBench(t, nil), "http://HOST", true},
		"its own, TLS in front": {newBench(t, nil), "https://HOST", true},
		"allowed":               {newBench(t, func(c *Config) { c.AllowedOrigins = []string{"https://shop.example"} }), "https://shop.example", true},
		"allowed, with a token": {newBench(t, func(c *Config) { c.Tokens, c.AllowedOrigins = tokens, []string{"https://shop.example"} }), "https://shop.example", true},
		"any":                   {newBench(t, func(c *Config) { c.AllowedOrigins = []string{"*"} }), "null", true},
	} {
		t.Run(name, func(t *testing.T) {
			origin := strings.Replace(c.origin, "HOST", strings.TrimPrefix(c.b.url, "http://"), 1)
			header := map[string]string{}
			if origin != "" {
				header["Origin"] = origin
			}
			post := c.b.do(request{path: eventsPath + "?token=" + secretA, body: array(viewer("e1")), media: "text/plain", header: header})
			ask := c.b.do(request{method: http.MethodOptions, header: header})
			if c.sent {
				wantStatus(t, post, 200)
				c.b.records(1)
				if origin != "" {
					wantStatus(t, ask, 204)
				}
				return
			}
			for _, resp := range []*http.Response{post, ask} {
				if code := codeOf(t, resp, 403); code != "origin_not_allowed" || !strings.Contains(text(resp), "gateway.allowed_origins") || !strings.Contains(text(resp), origin) {
					t.Errorf("%s: %s, want the origin and the key", resp.Status, text(resp))
				}
			}
			c.b.records(0)
		})
	}
	if isOwn("null", "") {
		t.Error("a request without a Host makes null its own origin")
	}
}
