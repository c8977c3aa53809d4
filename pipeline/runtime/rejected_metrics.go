package runtime

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
)

// rejectedMetrics are the numbers of the consumer of the dead letters. Reasons are counted where they are found, by the collector.
type rejectedMetrics struct {
	records, bytes, failures prometheus.Counter
	lagRecords, lagSeconds   *prometheus.GaugeVec
	write                    prometheus.Histogram
}

// newRejectedMetrics registers the metrics, or takes those that are there. A nil reg keeps them private.
func newRejectedMetrics(reg prometheus.Registerer) (*rejectedMetrics, error) {
	const ns, sub = "livemeter", "rejected"
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help})
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help}, []string{"partition"})
	}
	m := &rejectedMetrics{
		records:    counter("records_total", "Rejected records written to the store."),
		bytes:      counter("bytes_total", "Original bytes of them."),
		failures:   counter("write_failures_total", "Writes to the store that failed and were repeated."),
		lagRecords: gauge("lag_records", "Rejected records that are not in the store yet, by partition of events.rejected."),
		lagSeconds: gauge("lag_seconds", "Age of the newest record written while there are more, 0 at the end of the partition."),
		write: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub, Name: "write_seconds", Help: "Time to write one batch, failed attempts included.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14)}),
	}
	if reg == nil {
		return m, nil
	}
	return m, errors.Join(registerShared(reg, &m.records), registerShared(reg, &m.bytes), registerShared(reg, &m.failures),
		registerShared(reg, &m.lagRecords), registerShared(reg, &m.lagSeconds), registerShared(reg, &m.write))
}

// wrote takes what one poll brought, once all of it is in the store.
func (m *rejectedMetrics) wrote(fetches kgo.Fetches, took time.Duration) {
	now := time.Now().UnixMilli()
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) == 0 {
			return
		}
		for _, r := range p.Records {
			m.bytes.Add(float64(len(r.Value)))
		}
		m.records.Add(float64(len(p.Records)))
		last := p.Records[len(p.Records)-1]
		behind, age := max(p.HighWatermark-last.Offset-1, 0), 0.0
		if behind > 0 {
			age = seconds(now - last.Timestamp.UnixMilli())
		}
		label := strconv.Itoa(int(p.Partition))
		m.lagRecords.WithLabelValues(label).Set(float64(behind))
		m.lagSeconds.WithLabelValues(label).Set(age)
	})
	m.write.Observe(took.Seconds())
}
