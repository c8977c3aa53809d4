package gateway

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livemeter/livemeter/pipeline/event"
)

// metrics of one gateway. Labels are status codes, outcomes, the contract's reasons and the form of bodies: nothing a sender chooses.
type metrics struct {
	requests   *prometheus.CounterVec // by code; 499: the sender hung up before the answer
	accepted   prometheus.Counter
	unacked    prometheus.Counter
	rejected   [event.NumReasons]prometheus.Counter
	wireBytes  prometheus.Counter
	bodyBytes  prometheus.Counter
	inFlight   prometheus.Gauge
	produceSec prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, s *Server) (*metrics, error) {
	const ns, sub = "livemeter", "gateway"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help}, labels)
	}
	gauge := prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: "in_flight_requests", Help: "Requests being answered."}
	measured := func(name, help string, f func() int64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help}, func() float64 { return float64(f()) })
	}

	requests := counter("requests_total", "Requests by status code.", "code")
	events := counter("events_total", "Events by outcome: accepted (acknowledged by Kafka), rejected (by reason), unacknowledged (answered 503).", "outcome", "reason")
	bytes := counter("body_bytes_total", "Bytes of bodies: on the wire, and decompressed.", "form")
	m := &metrics{
		requests:  requests,
		accepted:  events.WithLabelValues("accepted", ""),
		unacked:   events.WithLabelValues("unacknowledged", ""),
		wireBytes: bytes.WithLabelValues("wire"),
		bodyBytes: bytes.WithLabelValues("decompressed"),
		inFlight:  prometheus.NewGauge(gauge),
		produceSec: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub, Name: "produce_seconds",
			Help: "From handing a batch to the Kafka client to its acknowledgement, failure or time-out.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 14)}),
	}
	for r := event.ReasonNone + 1; r < event.NumReasons; r++ {
		m.rejected[r] = events.WithLabelValues("rejected", r.String())
	}
	var errs []error
	for _, c := range []prometheus.Collector{requests, events, bytes, m.inFlight, m.produceSec,
		measured("in_flight_bytes", "Body bytes being read or waiting for Kafka.", func() int64 { return s.budget.used.Load() }),
		measured("in_flight_bytes_limit", "The bound of in_flight_bytes (gateway.max_in_flight_bytes); beyond it requests are answered 429.", func() int64 { return s.budget.limit }),
		measured("connections", "Open connections.", s.open.Load),
		measured("connections_limit", "The bound of connections (gateway.max_connections); beyond it new ones wait.", func() int64 { return int64(s.cfg.MaxConnections) }),
		measured("produce_queue_records", "Events handed to the Kafka client and not acknowledged.", s.client.BufferedProduceRecords)} {
		errs = append(errs, reg.Register(c))
	}
	return m, errors.Join(errs...)
}

// answered counts a request. Codes come from problem and its callers alone, so they are few.
func (m *metrics) answered(code int) { m.requests.WithLabelValues(strconv.Itoa(code)).Inc() }

// answeredEvents counts a batch's events once it is certain that its answer is a 200: a batch answered 503 comes again.
func (m *metrics) answeredEvents(accepted int, reasons [event.NumReasons]int) {
	m.accepted.Add(float64(accepted))
	for r, n := range reasons {
		if n > 0 {
			m.rejected[r].Add(float64(n))
		}
	}
}
