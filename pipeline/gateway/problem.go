package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// kafkaRetryAfter is what a 503 asks the sender to wait.
const kafkaRetryAfter = 2 * time.Second

// problem is an answer for a whole request, in the order in which openapi.yaml lists the codes.
type problem struct {
	status     int
	Code       string `json:"error"`
	Message    string `json:"message"`
	Position   *int   `json:"position,omitempty"` // byte offset in the decompressed body
	retryAfter time.Duration
	header     [2]string // one more header, if any
}

func problemSplit(err error) *problem {
	var syntax *syntaxError
	switch {
	case errors.As(err, &syntax):
		return &problem{status: http.StatusBadRequest, Code: "bad_json", Position: &syntax.pos,
			Message: "the array is not JSON: " + syntax.Error() + "; nothing of it was taken"}
	case errors.Is(err, errTooManyEvents):
		return &problem{status: http.StatusRequestEntityTooLarge, Code: "too_many_events",
			Message: fmt.Sprintf("a batch has at most %d events; nothing of it was taken, send smaller batches", MaxEvents)}
	}
	return &problem{status: http.StatusBadRequest, Code: "empty_body", Message: "the body is empty: want a JSON array of events or one event a line"}
}

func problemDamaged() *problem {
	return &problem{status: http.StatusBadRequest, Code: "bad_encoding", Message: "the body is not what Content-Encoding says, is cut short, or (zstd) declares a window above 8 MiB"}
}

func problemIncomplete() *problem {
	return &problem{status: http.StatusBadRequest, Code: "body_incomplete", Message: "the connection broke before the body was complete; nothing of it was taken"}
}

func problemUnauthorized() *problem {
	return &problem{status: http.StatusUnauthorized, Code: "unauthorized", header: [2]string{"WWW-Authenticate", "Bearer"},
		Message: "want a valid token: \"Authorization: Bearer TOKEN\", or ?token=TOKEN where no header can be set"}
}

func problemOrigin(origin string) *problem {
	return &problem{status: http.StatusForbidden, Code: "origin_not_allowed",
		Message: fmt.Sprintf("the origin %.100q (header Origin) is not among gateway.allowed_origins: its pages may not send events here; nothing was taken", origin)}
}

func problemNotFound(path string) *problem {
	return &problem{status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf("there is nothing at %.100q: events go to POST %s", path, eventsPath)}
}

func problemMethod() *problem {
	return &problem{status: http.StatusMethodNotAllowed, Code: "method_not_allowed", header: [2]string{"Allow", "POST, OPTIONS"}, Message: "events are sent with POST"}
}

func problemTimeout() *problem {
	return &problem{status: http.StatusRequestTimeout, Code: "body_timeout", Message: "the body did not arrive in time; nothing of it was taken"}
}

func problemTooLarge() *problem {
	return &problem{status: http.StatusRequestEntityTooLarge, Code: "body_too_large",
		Message: fmt.Sprintf("a body has at most %d bytes, before and after decompression; nothing of it was taken, send smaller batches", MaxBodyBytes)}
}

func problemMediaType(given string) *problem {
	return &problem{status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", header: [2]string{"Accept-Post", "application/json, application/x-ndjson, text/plain"},
		Message: fmt.Sprintf("Content-Type %.100q: want application/json, application/x-ndjson or text/plain, in UTF-8; for one event a line send the header Content-Type: application/x-ndjson", given)}
}

func problemEncoding(given string) *problem {
	return &problem{status: http.StatusUnsupportedMediaType, Code: "unsupported_encoding", header: [2]string{"Accept-Encoding", "gzip, zstd"},
		Message: fmt.Sprintf("Content-Encoding %.100q: want gzip, zstd or none", given)}
}

func problemRate(wait time.Duration) *problem {
	return &problem{status: http.StatusTooManyRequests, Code: "rate_exceeded", retryAfter: wait, Message: "this token sends more events a second than it may; nothing of this batch was taken"}
}

func problemBusy() *problem {
	return &problem{status: http.StatusTooManyRequests, Code: "busy", retryAfter: time.Second, Message: "too many bytes are in flight; nothing of this batch was taken"}
}

func problemKafka(timeout bool) *problem {
	p := &problem{status: http.StatusServiceUnavailable, Code: "kafka_unavailable", retryAfter: kafkaRetryAfter,
		Message: "not all events were acknowledged: send the batch again with the same event_ids, what was stored is not counted twice"}
	if timeout {
		p.Code = "kafka_slow"
	}
	return p
}

func problemNotReady(answers bool) *problem {
	p := &problem{status: http.StatusServiceUnavailable, Code: "kafka_unavailable", retryAfter: kafkaRetryAfter, Message: "Kafka does not answer: no events can be taken"}
	if answers {
		p.Message = "Kafka takes no records: no events can be taken"
	}
	return p
}

func (p *problem) write(w http.ResponseWriter) {
	if p.header[0] != "" {
		w.Header().Set(p.header[0], p.header[1])
	}
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.retryAfter.Seconds()))))
	}
	writeJSON(w, p.status, p)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil { // our own types of strings and numbers always encode
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(buf.Len()))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(buf.Bytes()) // a failure means that the sender is gone: it sends again
}
