package chhttp

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
)

// held is how much of a result is kept back, so that an error up to there still has its own HTTP status.
const held = 1 << 20

// response sends a result. Until it is committed nothing has gone to the client.
type response struct {
	w         http.ResponseWriter
	r         *http.Request
	wait      bool
	encode    bool // the client asked for HTTP compression
	framed    bool
	method    string
	stats     chdb.Stats
	tag       string
	pending   []byte
	committed bool
	out       io.Writer      // frames or the encoding or the connection
	encoding  io.WriteCloser // nil without
}

// Write takes a part of the result.
func (s *response) Write(p []byte) (int, error) {
	if !s.committed {
		s.pending = append(s.pending, p...)
		if s.wait || len(s.pending) < held {
			return len(p), nil
		}
		return len(p), s.commit(http.StatusOK)
	}
	return s.out.Write(p)
}

// commit sends the head, and what was held back.
func (s *response) commit(status int) error {
	s.committed = true
	header := s.w.Header()
	if summary, err := json.Marshal(summary(s.stats)); err == nil {
		header.Set("X-ClickHouse-Summary", string(summary))
	}
	s.out = s.w
	if len(s.pending) == 0 && status == http.StatusOK {
		header.Set("Content-Length", "0")
		s.w.WriteHeader(status)
		return nil
	}
	if s.encode {
		if name, encoding := encoder(s.r.Header.Get("Accept-Encoding"), s.w); encoding != nil {
			header.Set("Content-Encoding", name)
			header.Add("Vary", "Accept-Encoding")
			s.encoding, s.out = encoding, encoding
		}
	}
	if s.framed {
		s.out = newFrameWriter(s.out, s.method)
	}
	if status == http.StatusOK {
		s.tag = exceptionTag()
		header.Set("X-ClickHouse-Exception-Tag", s.tag)
	}
	s.w.WriteHeader(status)
	_, err := s.out.Write(s.pending)
	s.pending = nil
	return err
}

// end sends what is left of a result without error.
func (s *response) end() error {
	if !s.committed {
		if err := s.commit(http.StatusOK); err != nil {
			return err
		}
	}
	return s.closeEncoding()
}

func (s *response) closeEncoding() error {
	if s.encoding == nil {
		return nil
	}
	return s.encoding.Close()
}

// fail sends an error. Behind a part of the result it goes into the body in ClickHouse's way, and the connection is cut off, so that no client
// takes the result for whole.
func (s *response) fail(e *exception, version string) {
	text := e.message(version)
	if !s.committed {
		header := s.w.Header()
		header.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
		header.Set("Content-Type", "text/plain; charset=UTF-8")
		header.Del("X-ClickHouse-Format")
		if e.code == codeNoPassword {
			header.Set("WWW-Authenticate", `Basic realm="ClickHouse server HTTP API"`)
		}
		s.pending = []byte(text)
		if s.commit(e.status()) == nil {
			_ = s.closeEncoding() // the client is gone: nobody is left to tell
		}
		return
	}
	_, _ = fmt.Fprintf(s.out, "\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", s.tag, text, len(text), s.tag)
	_ = s.closeEncoding()
	_ = http.NewResponseController(s.w).Flush()
	panic(http.ErrAbortHandler)
}

func exceptionTag() string { return strings.ToLower(rand.Text()[:16]) }

// summary is the content of X-ClickHouse-Summary: all numbers are strings there.
func summary(s chdb.Stats) map[string]string {
	text := func(n uint64) string { return strconv.FormatUint(n, 10) }
	return map[string]string{
		"read_rows": text(s.ReadRows), "read_bytes": text(s.ReadBytes), "written_rows": text(s.WrittenRows), "written_bytes": text(s.WrittenBytes),
		"total_rows_to_read": text(s.ReadRows), "result_rows": text(s.ResultRows), "result_bytes": text(s.ResultBytes),
		"elapsed_ns": strconv.FormatInt(s.Elapsed.Nanoseconds(), 10),
	}
}

// contentType is that of a format.
func contentType(format string) string {
	switch name := strings.ToLower(format); {
	case strings.Contains(name, "eachrow"), name == "ndjson", name == "jsonlines":
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(name, "json"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(name, "csv"):
		if strings.Contains(name, "names") {
			return "text/csv; charset=UTF-8; header=present"
		}
		return "text/csv; charset=UTF-8; header=absent"
	case strings.HasPrefix(name, "tsv"), strings.HasPrefix(name, "tabseparated"):
		return "text/tab-separated-values; charset=UTF-8"
	case name == "xml":
		return "application/xml; charset=UTF-8"
	case name == "native", strings.HasPrefix(name, "rowbinary"), name == "parquet", name == "arrow", name == "arrowstream", name == "orc", name == "avro":
		return "application/octet-stream"
	}
	return "text/plain; charset=UTF-8"
}
