// Package chhttp is ClickHouse's HTTP interface in front of the embedded engine: clickhouse-go (Protocol: HTTP), clickhouse-connect, curl and
// BI tools work against it as against a server.
package chhttp

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
)

// Options of a Handler. The zero value asks for no password.
type Options struct {
	User     string // "default" if empty
	Password string // empty: every user and password is taken
}

// concurrent is how many statements run at once; more wait.
const concurrent = 32

// Handler serves an engine over HTTP.
type Handler struct {
	engine   *chdb.Engine
	options  Options
	sessions *sessions
	slots    chan struct{}

	version, timezone, host string
}

// New puts the HTTP interface in front of an engine. Close it before the engine.
func New(engine *chdb.Engine, options Options) (*Handler, error) {
	options.User = cmp.Or(options.User, "default")
	h := &Handler{
		engine: engine, options: options,
		sessions: &sessions{engine: engine, byID: map[string]*session{}},
		slots:    make(chan struct{}, concurrent),
	}
	conn, err := engine.Acquire(chdb.Env{})
	if err != nil {
		return nil, err
	}
	defer engine.Release(conn)
	out, _, err := conn.Query("SELECT version(), timezone(), displayName()", "TabSeparated")
	if err != nil {
		return nil, fmt.Errorf("chhttp: ask the engine for its version: %w", err)
	}
	fields := strings.Split(strings.TrimSpace(string(out)), "\t")
	h.version, h.timezone, h.host = fields[0], fields[1], fields[2]
	return h, nil
}

// Close ends the sessions. Requests must have ended.
func (h *Handler) Close() { h.sessions.close() }

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-ClickHouse-Server-Display-Name", h.host)
	if origin := r.Header.Get("Origin"); origin != "" && !isOwn(origin, r.Host) {
		http.Error(w, fmt.Sprintf("Pages of the origin %.100q (header Origin) may not use this ClickHouse, only those of its own address; programs that are no browser send no Origin\n", origin), http.StatusForbidden)
		return
	}
	switch r.URL.Path {
	case "/ping", "/replicas_status":
		ok(w)
		return
	case "/":
	default:
		http.Error(w, fmt.Sprintf("There is no handle %s\n\nUse / or /ping for health checks, and / with ?query= for statements.\n", r.URL.Path), http.StatusNotFound)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if r.URL.RawQuery == "" {
			ok(w)
			return
		}
	case http.MethodPost:
	case http.MethodOptions:
		w.Header().Set("Allow", "GET, HEAD, POST, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		w.Header().Set("Allow", "GET, HEAD, POST, OPTIONS")
		http.Error(w, "ClickHouse's HTTP interface takes GET and POST\n", http.StatusMethodNotAllowed)
		return
	}
	res := &response{w: w, r: r}
	err := h.serve(res, r)
	if err == nil {
		err = res.end()
	}
	if err != nil {
		res.fail(asException(err), h.version)
	}
}

// isOwn says whether a page comes from the host that was asked. Any other in a browser of this machine could post statements to it without asking
// first, and there is no password that it would have to know.
func isOwn(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host) // that of "null" is empty, as a missing Host is
}

func ok(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_, _ = io.WriteString(w, "Ok.\n")
}

// serve runs the statement of a request.
func (h *Handler) serve(res *response, r *http.Request) error {
	values, body, err := form(r)
	if err != nil {
		return err
	}
	if err := h.authenticate(r, values); err != nil {
		return err
	}
	q, err := parse(r, values)
	if err != nil {
		return err
	}
	res.wait, res.encode = q.wait, flag(values, "enable_http_compression")
	res.framed, res.method = q.compress, q.method
	w := res.w.Header()
	w.Set("X-ClickHouse-Query-Id", q.queryID)
	w.Set("X-ClickHouse-Timezone", h.timezone)
	text, rest, err := readStatement(values.Get("query"), body)
	if err != nil {
		return err
	}
	st := analyse(text)
	if err := allowed(st, r.Method); err != nil {
		return err
	}
	if st.data >= 0 {
		return h.insert(res, r, q, st, text, rest)
	}
	return h.withConn(r.Context(), q, func(c *chdb.Conn) error {
		if st.spoils && q.session == "" {
			c.Spoil()
		}
		return h.query(res, c, q, st, text)
	})
}

// insert runs an INSERT with data behind it, once all of the data is here.
func (h *Handler) insert(res *response, r *http.Request, q request, st statement, text string, rest io.Reader) error {
	body, err := collect(h.engine.Dir(), text[st.data:], rest)
	if err != nil {
		return err
	}
	defer body.close()
	return h.withConn(r.Context(), q, func(c *chdb.Conn) (err error) {
		res.stats, err = c.Insert(text[:st.body], st.format, body.data(), q.params...)
		return err
	})
}

// form gives the parameters of a request, and its body with all encodings undone. Parameters may come as a multipart form, then there is no body.
func form(r *http.Request) (url.Values, io.Reader, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, nil, fail(codeBadArguments, "BAD_ARGUMENTS", "The query string can't be read: %s", err)
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		body, err := requestBody(r, flag(values, "decompress"))
		return values, body, err
	}
	if err := r.ParseMultipartForm(maxStatement); err != nil {
		return nil, nil, fail(codeBadArguments, "BAD_ARGUMENTS", "The multipart form can't be read: %s", err)
	}
	defer r.MultipartForm.RemoveAll()
	if len(r.MultipartForm.File) > 0 {
		return nil, nil, fail(codeNotImplemented, "NOT_IMPLEMENTED", "External tables are not supported by the embedded ClickHouse; use a temporary table in a session")
	}
	for name, all := range r.MultipartForm.Value {
		values[name] = all
	}
	return values, strings.NewReader(""), nil
}

func allowed(st statement, method string) error {
	switch {
	case st.keyword == "":
		return fail(codeSyntax, "SYNTAX_ERROR", "Syntax error: Empty query")
	case st.keyword == "INSERT" && st.data < 0:
		return fail(codeSyntax, "SYNTAX_ERROR", "Syntax error: INSERT needs VALUES, FORMAT or SELECT behind the table")
	case st.several:
		return fail(codeSyntax, "SYNTAX_ERROR", "Syntax error: Multi-statements are not allowed")
	case method != http.MethodPost && !st.reads():
		return fail(codeReadonly, "READONLY", "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries")
	}
	return nil
}

func (h *Handler) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withConn runs do on the connection of the request's session, or on one of the pool, when its turn has come.
func (h *Handler) withConn(ctx context.Context, q request, do func(*chdb.Conn) error) error {
	if err := h.enter(ctx); err != nil {
		return err
	}
	defer func() { <-h.slots }()
	if q.session == "" {
		conn, err := h.engine.Acquire(q.env)
		if err != nil {
			return err
		}
		defer h.engine.Release(conn)
		return do(conn)
	}
	one, err := h.sessions.acquire(q)
	if err != nil {
		return err
	}
	defer h.sessions.release(q, one)
	if err := one.conn.Apply(q.env); err != nil {
		return err
	}
	return do(one.conn)
}
