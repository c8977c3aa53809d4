package chhttp

import (
	"cmp"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
)

// request is what a client asked for beside the statement and its data.
type request struct {
	env      chdb.Env
	params   []chdb.Param
	queryID  string
	format   string // of the result, unless the statement names one
	revision uint64 // client_protocol_version

	session        string
	sessionTimeout time.Duration
	sessionCheck   bool
	sessionClose   bool

	compress bool // ClickHouse's own frames around the result
	method   string
	wait     bool // send nothing before the statement has ended
}

const (
	defaultSessionTimeout = time.Minute
	maxSessionTimeout     = time.Hour
)

// notSettings are names in the URL that are no settings: those handled in parse, and those that mean nothing here.
var notSettings = map[string]bool{
	"query": true, "database": true, "default_format": true, "user": true, "password": true, "quota_key": true, "query_id": true, "stacktrace": true,
	"role": true, "session_id": true, "session_timeout": true, "session_check": true, "close_session": true, "compress": true, "decompress": true,
	"buffer_size": true, "wait_end_of_query": true, "client_protocol_version": true, "http_zlib_compression_level": true, "enable_http_compression": true,
	"network_compression_method": true, "network_zstd_compression_level": true, "send_progress_in_http_headers": true, "add_http_cors_header": true,
	"http_write_exception_in_output_format": true, "log_comment": true,
}

func parse(r *http.Request, values url.Values) (request, error) {
	q := request{
		env:     chdb.Env{Database: cmp.Or(values.Get("database"), r.Header.Get("X-ClickHouse-Database")), Settings: map[string]string{}},
		format:  cmp.Or(values.Get("default_format"), r.Header.Get("X-ClickHouse-Format"), "TabSeparated"),
		queryID: cmp.Or(values.Get("query_id"), r.Header.Get("X-ClickHouse-Query-Id")),
		session: values.Get("session_id"), sessionCheck: flag(values, "session_check"), sessionClose: flag(values, "close_session"),
		compress: flag(values, "compress"), method: values.Get("network_compression_method"), wait: flag(values, "wait_end_of_query"),
	}
	if q.queryID == "" {
		q.queryID = uuid.NewString()
	}
	q.revision, _ = strconv.ParseUint(values.Get("client_protocol_version"), 10, 64)
	for name, all := range values {
		value := all[len(all)-1]
		if param, ok := strings.CutPrefix(name, "param_"); ok {
			q.params = append(q.params, chdb.Param{Name: param, Value: value})
		} else if !notSettings[name] {
			q.env.Settings[name] = value
		}
	}
	return q, q.parseTimeout(values.Get("session_timeout"))
}

func (q *request) parseTimeout(text string) error {
	q.sessionTimeout = defaultSessionTimeout
	if text == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(text, 10, 32)
	if err != nil || time.Duration(seconds)*time.Second > maxSessionTimeout {
		return fail(codeBadSession, "INVALID_SESSION_TIMEOUT", "Invalid session timeout: '%s'; it is in seconds and at most %d", text, int(maxSessionTimeout.Seconds()))
	}
	q.sessionTimeout = time.Duration(seconds) * time.Second
	return nil
}

func flag(values url.Values, name string) bool {
	v := values.Get(name)
	return v == "1" || strings.EqualFold(v, "true")
}

// authenticate checks the user and password, from wherever a client may put them.
func (h *Handler) authenticate(r *http.Request, values url.Values) error {
	if h.options.Password == "" {
		return nil
	}
	user, password, basic := r.BasicAuth()
	if !basic {
		user = cmp.Or(r.Header.Get("X-ClickHouse-User"), values.Get("user"))
		password = cmp.Or(r.Header.Get("X-ClickHouse-Key"), values.Get("password"))
	}
	user = cmp.Or(user, "default")
	if !basic && password == "" {
		return fail(codeNoPassword, "REQUIRED_PASSWORD", "%s: Authentication failed: a password is required", user)
	}
	same := subtle.ConstantTimeCompare([]byte(user), []byte(h.options.User)) & subtle.ConstantTimeCompare([]byte(password), []byte(h.options.Password))
	if same != 1 {
		return fail(codeAuthentication, "AUTHENTICATION_FAILED", "%s: Authentication failed: password is incorrect, or there is no user with such name", user)
	}
	return nil
}
