package clickhouse

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
)

// Kinds of errors.
const (
	errorPermanent = "permanent"
	errorTemporary = "temporary"
)

// metrics have labels that the schema and the code bound: table, kind of error, step of the roller.
type metrics struct {
	rows, inserts, bytes, retries *prometheus.CounterVec
	errors                        *prometheus.CounterVec
	latency                       *prometheus.HistogramVec
	rollSeconds                   *prometheus.HistogramVec
	folded, peaks                 prometheus.Counter
	shown                         prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "livemeter", Subsystem: "clickhouse", Name: name, Help: help}, labels)
	}
	histogram := func(name, help, label string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "livemeter", Subsystem: "clickhouse", Name: name, Help: help,
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16)}, []string{label})
	}
	one := func(name, help string) prometheus.Counter { return counter(name, help).WithLabelValues() }
	m := &metrics{
		rows:    counter("rows_total", "Rows stored.", "table"),
		inserts: counter("inserts_total", "INSERTs that were stored.", "table"),
		bytes:   counter("bytes_total", "Uncompressed bytes of the rows stored.", "table"),
		retries: counter("retries_total", "Attempts of an INSERT after its first.", "table"),
		errors:  counter("errors_total", "Failed attempts, by whether trying again can help.", "table", "kind"),
		latency: histogram("insert_seconds", "Duration of one successful INSERT.", "table"),

		rollSeconds: histogram("roll_seconds", "Duration of one step of the roller.", "step"),
		folded:      one("fold_candidates_total", "Closed partials looked at by the fold."),
		peaks:       one("peak_candidates_total", "Rows of panes and shorter windows that peaks were taken over."),
	}
	for _, t := range tables(Config{}.WithDefaults()) { // the first failure is to be an increase
		for _, kind := range []string{errorPermanent, errorTemporary} {
			m.errors.WithLabelValues(t.name, kind)
		}
	}
	m.shown = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "livemeter", Subsystem: "clickhouse", Name: "shown",
		Help: "1 while the views show this log's numbers, 0 while they show another log's; NaN in processes that do not own partition 0 and do not ask."})
	m.shown.Set(math.NaN())
	if reg != nil {
		reg.MustRegister(m.shown, m.rows, m.inserts, m.bytes, m.retries, m.errors, m.latency, m.rollSeconds, m.folded, m.peaks)
	}
	return m
}
