package clickhouse_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// listening stands before the real engine and notes the statements.
func listening(t *testing.T, addr string) (proxied string, statements func() []string) {
	t.Helper()
	var mu sync.Mutex
	var heard []string
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		heard = append(heard, r.URL.Query().Get("query")+string(body))
		mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://"), func() []string {
		mu.Lock()
		defer mu.Unlock()
		return heard
	}
}

// Each start of each process pays for it: a schema that is there costs few questions, none of which looks at all tables of the server.
func TestApplyOfWhatIsThereAsksLittle(t *testing.T) {
	e := open(t)
	addr, statements := listening(t, e.addr)
	if _, err := e.through(addr).Apply(context.Background()); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, s := range statements() {
		if strings.Contains(s, "displayName()") { // the client's own, with each new connection
			continue
		}
		asked++
		if strings.Contains(s, "system.tables") && !strings.Contains(s, "WHERE database = '"+e.db+"'") {
			t.Errorf("every table of the server is looked at: %s", s)
		}
	}
	if asked == 0 || asked > 5 {
		t.Errorf("%d statements, want 5 at most: %q", asked, statements())
	}
}

// A table that was dropped is made again, and told: what it held is lost. One that is merely new, at the end, is not.
func TestApplyTellsOfATableThatWasDropped(t *testing.T) {
	e := open(t)
	e.query("DROP TABLE $db.sku_rows SYNC")
	e.query("DROP TABLE $db.rejected_rows SYNC")
	core, logs := observer.New(zap.InfoLevel)
	s, err := clickhouse.New(clickhouse.Config{Addr: []string{e.addr}, Database: e.db, TTLDays: []int{0, 0, 0, 0, 0}}, zap.New(core), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n, want := range []int{2, 0} {
		if made, err := s.Apply(context.Background()); err != nil || made != want {
			t.Errorf("made %d, %v, want %d", made, err, want)
		}
		if told := logs.FilterMessageSnippet("if it was dropped").All(); len(told) != 1 || told[0].ContextMap()["table"] != "sku_rows" {
			t.Errorf("round %d: told %v", n, told)
		}
	}
}
