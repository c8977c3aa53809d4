package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/event"
)

const (
	eventsPath = "/v1/events"

	// statusSenderGone is a metric's label only: nobody is left to read it.
	statusSenderGone = 499
)

// Answer is the body of a 200: one result for each event, in the order of the batch.
type Answer struct {
	Results  []Result `json:"results"`
	Accepted int      `json:"accepted"`
	Rejected int      `json:"rejected"`
}

// Result of one event. Accepted: it is stored in Kafka. Rejected: it is not, and sending it again changes nothing.
type Result struct {
	Index   int    `json:"index"`
	EventID string `json:"event_id,omitempty"`
	Status  string `json:"status"`
	Reason  string `json:"reason,omitempty"`
	Field   string `json:"field,omitempty"`
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == readyPath && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		s.ready(w) // no sender: it is not counted among the requests
		return
	}
	s.met.inFlight.Inc()
	defer s.met.inFlight.Dec()
	code := http.StatusOK
	body := &begunBody{ReadCloser: r.Body}
	seen := r.WithContext(r.Context()) // a copy: net/http looks at what kind of body its request has
	seen.Body = body
	answer, prob := s.answer(w, seen)
	switch {
	case prob != nil:
		code = prob.status
		body.drain(r)
		prob.write(w)
	case answer != nil:
		writeJSON(w, code, answer)
	default:
		code = http.StatusNoContent
		preflight(w)
	}
	s.met.answered(code)
}

// drainBytes of a body that nobody wants are read and dropped, within ReadTimeout.
const drainBytes = 4 << 20

// begunBody knows whether a body was asked for.
type begunBody struct {
	io.ReadCloser
	begun bool
}

func (b *begunBody) Read(p []byte) (int, error) {
	b.begun = true
	return b.ReadCloser.Read(p)
}

// drain takes what a refused sender still sends: where the connection is closed meanwhile, most clients see that and not the answer. Who waits to be told
// to go on, and was not, gets the answer at once.
func (b *begunBody) drain(r *http.Request) {
	if b.begun || r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, b.ReadCloser, drainBytes) // the answer is the same when they hang up
	}
}

// answer returns the answer, or a problem, or neither for a preflight.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) (*Answer, *problem) {
	if r.URL.Path != eventsPath {
		return nil, problemNotFound(r.URL.Path)
	}
	allowed := s.cors.mark(w, r)
	origin := r.Header.Get("Origin")
	switch {
	case r.Method == http.MethodPost && (allowed || origin == ""):
		return s.ingest(w, r)
	case r.Method == http.MethodOptions && allowed:
		return nil, nil
	case r.Method == http.MethodPost || r.Method == http.MethodOptions:
		// Also a POST: browsers send one of text/plain without asking first.
		return nil, problemOrigin(origin)
	}
	return nil, problemMethod()
}

func (s *Server) ingest(w http.ResponseWriter, r *http.Request) (*Answer, *problem) {
	who := s.gate.admit(r)
	if who == nil {
		return nil, problemUnauthorized()
	}
	lines, prob := mediaType(r)
	if prob != nil {
		return nil, prob
	}
	if r.ContentLength > MaxBodyBytes {
		return nil, problemTooLarge()
	}
	l := &lease{from: &s.budget}
	handed := false
	defer func() {
		if !handed {
			l.release()
		}
	}()
	body, wire, prob := s.unpack.read(w, r, l)
	s.met.wireBytes.Add(float64(wire))
	if prob != nil {
		return nil, prob
	}
	s.met.bodyBytes.Add(float64(len(body)))
	raws, err := split(body, lines, MaxEvents)
	if err != nil {
		return nil, problemSplit(err)
	}
	if wait, ok := who.take(s.cfg.Now(), len(raws)); !ok {
		s.log.Warn("a token is above its rate", zap.String("token", who.name), zap.Int("events", len(raws)), zap.Duration("retry_after", wait))
		return nil, problemRate(wait)
	}
	answer, records, reasons := s.judgeAll(raws)
	if len(records) > 0 {
		handed = true
		if prob := s.store(r.Context(), records, l); prob != nil {
			return nil, prob
		}
	}
	s.met.answeredEvents(answer.Accepted, reasons)
	return answer, nil
}

// judgeAll decides every event and makes the records of the accepted ones. The whole batch has one receive time: when it was complete.
func (s *Server) judgeAll(raws [][]byte) (answer *Answer, records []kgo.Record, reasons [event.NumReasons]int) {
	j := s.judges.Get().(*judge)
	defer s.judges.Put(j)
	now := s.cfg.Now()
	answer = &Answer{Results: make([]Result, len(raws))}
	records = make([]kgo.Record, 0, len(raws))
	for i, raw := range raws {
		v, panicked := j.decide(raw)
		if panicked != nil {
			s.log.Error("an event is rejected as internal: it is not the sender's fault, please report it", zap.Int("bytes", len(raw)), zap.Error(panicked))
		}
		res := &answer.Results[i]
		res.Index = i
		if v.Reason != event.ReasonNone {
			res.EventID, res.Status, res.Reason, res.Field = findEventID(raw), "rejected", v.Reason.String(), v.Field
			answer.Rejected++
			reasons[v.Reason]++
			continue
		}
		res.EventID, res.Status = strings.Clone(j.ev.EventID), "accepted"
		answer.Accepted++
		records = append(records, kgo.Record{Topic: s.topics[j.ev.Type.Topic()], Key: j.key(), Value: raw, Timestamp: now})
	}
	return answer, records, reasons
}

// store returns nil only when Kafka has acknowledged every record. It takes over the lease.
func (s *Server) store(ctx context.Context, records []kgo.Record, l *lease) *problem {
	start := s.cfg.Now()
	err := s.produce(records, l).wait(ctx)
	s.met.produceSec.Observe(s.cfg.Now().Sub(start).Seconds())
	if err == nil {
		return nil
	}
	s.met.unacked.Add(float64(len(records)))
	if ctx.Err() != nil {
		return &problem{status: statusSenderGone, Code: "sender_gone", Message: "the connection was closed before Kafka acknowledged"}
	}
	s.log.Error("Kafka did not acknowledge a batch: answered 503, the sender will send it again", zap.Int("events", len(records)),
		zap.Duration("waited_at_most", s.cfg.ProduceTimeout), zap.Error(err))
	return problemKafka(errors.Is(err, errSlow))
}
