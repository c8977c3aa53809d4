package runtime

import (
	"errors"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livemeter/livemeter/pipeline/event"
)

// collectorMetrics. Labels are bounded by the raw topics, their partitions and the reasons of the contract.
type collectorMetrics struct {
	records    *prometheus.CounterVec
	bytes      *prometheus.CounterVec
	lagRecords *prometheus.GaugeVec
	lagSeconds *prometheus.GaugeVec
	blockBytes prometheus.Histogram
	blockSize  prometheus.Histogram
	ack        prometheus.Histogram
	inflight   prometheus.Gauge
	limit      prometheus.Gauge
	queue      *prometheus.GaugeVec
	queueLimit prometheus.Gauge
	cut        *prometheus.CounterVec
	unkept     *prometheus.CounterVec
	unmended   prometheus.Counter
	expired    *prometheus.CounterVec
	tooOld     *prometheus.CounterVec
	commits    *prometheus.CounterVec
	sessions   *prometheus.CounterVec
	stalled    *prometheus.GaugeVec
	up         prometheus.Gauge
}

// newCollectorMetrics registers the metrics, or takes those that another collector has registered with reg. A nil reg keeps them private.
func newCollectorMetrics(reg prometheus.Registerer) (*collectorMetrics, error) {
	const ns, sub = "livemeter", "collector"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help}, labels)
	}
	hist := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help, Buckets: buckets})
	}
	m := &collectorMetrics{
		records:    counter("records_total", "Raw records consumed, by outcome (valid, invalid) and reason. Duplicates are found later, by the enricher.", "topic", "partition", "outcome", "reason"),
		bytes:      counter("bytes_total", "Bytes of raw records consumed.", "topic", "partition"),
		lagRecords: gauge("lag_records", "Raw records known to the broker and not yet in a block of the log.", "topic", "partition"),
		lagSeconds: gauge("lag_seconds", "Age of the next raw record to be put into a block; 0 at the end of the partition.", "topic", "partition"),
		blockBytes: hist("block_bytes", "Bytes per block of the log.", prometheus.ExponentialBuckets(64, 2, 11)),
		blockSize:  hist("block_entries", "Entries per block of the log.", prometheus.ExponentialBuckets(1, 2, 11)),
		ack:        hist("ack_seconds", "From handing a batch to the producer to its acknowledgement.", prometheus.ExponentialBuckets(0.0005, 2, 15)),
		inflight:   prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: "inflight_bytes", Help: "Bytes in the batch under way; at half of the configured limit the next one stops growing."}),
		limit:      prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: "inflight_bytes_limit", Help: "Bound of what is built and not acknowledged (collector.max_inflight_bytes); at it no record is taken."}),
		queue:      gauge("queue_records", "Raw records fetched that wait for their turn.", "topic"),
		queueLimit: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: "queue_records_limit", Help: "Bound of queue_records for each topic: at it nothing more is fetched."}),
		stalled:    gauge("stalled", "1 while the watermark goes on without the source: it brings nothing, and whether there is more is not to be had (collector.stall_after).", "topic", "partition"),
		cut:        counter("rejected_cut_total", "Rejected records of which events.rejected could not take all bytes (max.message.bytes).", "topic"),
		unkept:     counter("rejected_unkept_total", "Rejected records that are counted and whose bytes are not in events.rejected: their source partition brought more than collector.rejected_rate.", "topic"),
		unmended:   prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: "replayed_invalid_total", Help: "Records of raw.replay that are still invalid as what they once were: nothing changes by them, and they are in records_total of raw.replay."}),
		expired:    counter("expired_offsets_total", "Offsets of raw topics that retention removed before they were collected: lost records.", "topic", "partition"),
		tooOld:     counter("past_ttl_records_total", "Raw records with a receive time older than any row is kept (clickhouse.ttl): they count, and are shown nowhere.", "topic"),
		commits:    counter("commits_total", "Commits of source offsets, by result (ok, failed).", "topic", "result"),
		sessions:   counter("sessions_total", "Sessions, by how they ended (finished, failed).", "result"),
	}
	m.up = prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: "up", Help: "1 while a session takes records and Kafka acknowledges what it sends, else 0: the lags, which go with a session, are not to be had then. /readyz says why."})
	m.queueLimit.Set(collectorHighWater + collectorPollRecords)
	if reg == nil {
		return m, nil
	}
	return m, errors.Join(registerShared(reg, &m.records), registerShared(reg, &m.bytes), registerShared(reg, &m.lagRecords), registerShared(reg, &m.lagSeconds),
		registerShared(reg, &m.blockBytes), registerShared(reg, &m.blockSize), registerShared(reg, &m.ack), registerShared(reg, &m.inflight),
		registerShared(reg, &m.limit), registerShared(reg, &m.queue), registerShared(reg, &m.queueLimit), registerShared(reg, &m.cut), registerShared(reg, &m.unkept), registerShared(reg, &m.unmended),
		registerShared(reg, &m.stalled), registerShared(reg, &m.expired), registerShared(reg, &m.tooOld), registerShared(reg, &m.commits), registerShared(reg, &m.sessions), registerShared(reg, &m.up))
}

// collectorSourceMetrics are one source's counters; the hot path counts in plain integers and publish adds them up.
type collectorSourceMetrics struct {
	valid, bytes uint64
	invalid      [event.NumReasons]uint64

	validTotal, bytesTotal prometheus.Counter
	lagRecords, lagSeconds prometheus.Gauge
	stalled                prometheus.Gauge
}

func (m *collectorMetrics) source(topic string, partition int32) collectorSourceMetrics {
	p := strconv.Itoa(int(partition))
	return collectorSourceMetrics{validTotal: m.records.WithLabelValues(topic, p, "valid", ""), bytesTotal: m.bytes.WithLabelValues(topic, p),
		lagRecords: m.lagRecords.WithLabelValues(topic, p), lagSeconds: m.lagSeconds.WithLabelValues(topic, p), stalled: m.stalled.WithLabelValues(topic, p)}
}

func (m *collectorMetrics) publish(s *collectorSource, now int64) {
	c := &s.metrics
	c.validTotal.Add(float64(c.valid))
	c.bytesTotal.Add(float64(c.bytes))
	c.valid, c.bytes = 0, 0
	for r, n := range c.invalid {
		if n > 0 {
			m.records.WithLabelValues(s.feed.name, strconv.Itoa(int(s.partition)), "invalid", event.Reason(r).String()).Add(float64(n))
			c.invalid[r] = 0
		}
	}
	c.stalled.Set(bit(!s.stalled.IsZero()))
	c.lagRecords.Set(float64(max(0, s.end-s.next)))
	lag := int64(0)
	if len(s.queue) > 0 {
		lag = now - s.head
	} else if s.handed < s.end && s.recv > 0 {
		lag = now - s.recv
	}
	c.lagSeconds.Set(seconds(lag))
}

// forget removes the gauges of a source that another collector owns now.
func (m *collectorMetrics) forget(s *collectorSource) {
	p := strconv.Itoa(int(s.partition))
	m.lagRecords.DeleteLabelValues(s.feed.name, p)
	m.lagSeconds.DeleteLabelValues(s.feed.name, p)
	m.stalled.DeleteLabelValues(s.feed.name, p)
}
