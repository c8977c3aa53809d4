package runtime

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/livemeter/livemeter/pipeline/event"
)

// readerMetrics are the numbers of one reader. What belongs to a partition is read from its last view at scrape time, so that it costs
// the hot path nothing and a partition that left leaves no series behind. Labels are group, partition, outcome, reason and result only.
type readerMetrics struct {
	r *Reader

	flushRows       prometheus.Histogram
	flushSeconds    *prometheus.HistogramVec
	fresh           prometheus.Histogram
	behind          prometheus.Counter
	restore         prometheus.Histogram
	checkpointTime  prometheus.Histogram
	checkpointBytes prometheus.Counter
	paused          prometheus.Histogram
	restarts        prometheus.Counter
	panics          prometheus.Counter
	poison          prometheus.Counter
	gauges          []partitionMetric
	outcomes        *prometheus.Desc
	interval        *prometheus.Desc
	failing         *prometheus.Desc
	up              *prometheus.Desc
}

// freshBuckets have the bounds that objectives name: 0.2, 0.5 and 1 s.
var freshBuckets = []float64{.02, .05, .1, .15, .2, .3, .4, .5, .75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 900, 3600}

type partitionMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(s *slot, v *view, now int64) float64
}

func newReaderMetrics(r *Reader, reg prometheus.Registerer) (*readerMetrics, error) {
	m := &readerMetrics{r: r}
	labels := prometheus.Labels{"group": r.cfg.Group}
	hist := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Name: "livemeter_reader_" + name, Help: help, ConstLabels: labels, Buckets: buckets})
	}
	count := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "livemeter_reader_" + name, Help: help, ConstLabels: labels})
	}
	m.flushRows = hist("flush_rows", "Rows of one write to the sink.", prometheus.ExponentialBuckets(1, 4, 11))
	m.flushSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "livemeter_reader_flush_seconds", ConstLabels: labels,
		Help: "Time to collect and write one batch, by result (ok, error).", Buckets: prometheus.ExponentialBuckets(0.002, 2, 14)}, []string{"result"})
	m.fresh = hist("event_to_queryable_seconds", "Receive time of a log record's newest event to the sink's acknowledgement of its rows, a sample for each record applied while its partition is not behind; behind_records_total counts the others. Rows other than those of rooms in 10 s and 1 m may follow.", freshBuckets)
	m.behind = count("behind_records_total", "Log records with new events that were applied while their partition was behind: no sample of event_to_queryable_seconds. An objective of freshness counts them as missed.")
	m.restore = hist("restore_seconds", "Time to restore one partition from its changelog.", prometheus.ExponentialBuckets(0.01, 2, 14))
	m.checkpointTime = hist("checkpoint_seconds", "Time from snapshot to commit.", prometheus.ExponentialBuckets(0.002, 2, 14))
	m.paused = hist("checkpoint_pause_seconds", "How long the flow waited for a part of a checkpoint to be packed; while behind or stopping, for all of it.", prometheus.ExponentialBuckets(0.001, 2, 12))
	m.checkpointBytes = count("checkpoint_bytes_total", "Changelog keys and values written.")
	m.restarts = count("restarts_total", "Partitions restored again after an error of Kafka's, or of ClickHouse's before they read.")
	m.panics = count("panics_total", "Panics of a stage over a record of the log: the partition is restored, to find the event.")
	m.poison = count("poison_events_total", "Events that are skipped because a stage panics over them: invalid, reason internal.")
	m.outcomes = prometheus.NewDesc("livemeter_reader_outcomes_total", "Consumed source records by outcome since the partition was restored.",
		[]string{"partition", "outcome", "reason"}, labels)
	m.interval = prometheus.NewDesc("livemeter_reader_flush_interval_seconds", "Present time between two writes.", nil, labels)
	m.failing = prometheus.NewDesc("livemeter_reader_sink_failing_seconds", "How long there have been rows that the sink was given and has not taken since, be it those of one table; 0 while there are none.", nil, labels)
	m.up = prometheus.NewDesc("livemeter_reader_up", "1 while the reader is in its group and all that it owns is restored and reading, else 0: numbers of partitions, which go with them, may not be to be had then. /readyz says why.", nil, labels)
	m.gauges = partitionMetrics(labels)
	return m, register(reg, m.flushRows, m.flushSeconds, m.fresh, m.behind, m.restore, m.checkpointTime, m.checkpointBytes, m.paused, m.restarts, m.panics, m.poison, m)
}

func partitionMetrics(labels prometheus.Labels) []partitionMetric {
	const g, c = prometheus.GaugeValue, prometheus.CounterValue
	def := func(name, help string, kind prometheus.ValueType, value func(*slot, *view, int64) float64) partitionMetric {
		return partitionMetric{prometheus.NewDesc("livemeter_reader_"+name, help, []string{"partition"}, labels), kind, value}
	}
	return []partitionMetric{
		def("lag_records", "Log records not applied yet.", g, func(s *slot, v *view, _ int64) float64 { return float64(lagOf(s, v)) }),
		def("lag_seconds", "Age of the newest applied receive time, 0 when nothing is left to apply.", g, func(s *slot, v *view, now int64) float64 {
			if lagOf(s, v) == 0 || v.stats.MaxRecv == 0 {
				return 0
			}
			return seconds(now - v.stats.MaxRecv)
		}),
		def("watermark_age_seconds", "Now minus the watermark, 0 while it is unknown.", g, func(_ *slot, v *view, now int64) float64 {
			if v.stats.Watermark == 0 {
				return 0
			}
			return seconds(now - v.stats.Watermark)
		}),
		def("checkpoint_age_seconds", "Time since the last committed checkpoint of this process, 0 before the first.", g, func(s *slot, _ *view, now int64) float64 {
			at := s.status.checkpointed.Load()
			if at == 0 {
				return 0
			}
			return seconds(now - at)
		}),
		def("viewers", "Viewers in state.", g, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.Viewers) }),
		def("cells", "Open cells: those whose windows can change.", g, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.Cells) }),
		def("dirty_cells", "Cells and orders whose last value the sink has not acknowledged.", g, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.unacknowledged()) }),
		def("cells_limit", "Limit of open cells (limits.max_cells): above it the oldest close early.", g, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.MaxCells) }),
		def("cells_closed_early_total", "Cells closed before their end because of the limit, since the partition was restored. Nothing is dropped: what comes later opens a new generation.", c, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.ClosedEarly) }),
		def("dirty_cells_limit", "Limit of dirty cells (limits.max_dirty_cells): above it the partition reads no more.", g, func(s *slot, _ *view, _ int64) float64 { return float64(s.r.cfg.MaxDirtyCells) }),
		def("keys", "Keys of cells in use: rooms, products, sources, variants.", g, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.Keys) }),
		def("output_queue_records", "Records for the next hop that it has not acknowledged.", g, func(_ *slot, v *view, _ int64) float64 { return float64(v.out.queued()) }),
		def("dedupe_entries", "Event ids remembered.", g, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.DedupeEntries) }),
		def("behind", "1 while only finished rows leave: the lag is above the limit, or the newest event is old and there are more, or times run faster than the clock.", g, func(_ *slot, v *view, _ int64) float64 { return bit(v.behind) }),
		def("input_paused", "1 while unacknowledged rows stop the input.", g, func(_ *slot, v *view, _ int64) float64 { return bit(v.full) }),
		def("records_missing", "1 while what comes is not taken because records before it are missing, which are to come again: after 30 s /readyz says so.", g, func(_ *slot, v *view, _ int64) float64 { return bit(v.stats.Waits) }),
		def("offset", "Log offset applied next.", g, func(_ *slot, v *view, _ int64) float64 { return float64(v.next) }),
		def("records_total", "Log records applied since the partition was restored; one packs many events, which outcomes_total counts.", c, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.Records) }),
		def("replayed_total", "Events dropped by provenance: the hop delivered them twice, or what was rejected was replayed once more.", c, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.Replayed) }),
		def("late_total", "Events beyond the horizon.", c, func(_ *slot, v *view, _ int64) float64 { return float64(v.stats.Late) }),
	}
}

func seconds(ms int64) float64 { return float64(max(ms, 0)) / 1000 }

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func lagOf(s *slot, v *view) int64 { return max(v.high, s.end.Load()) - v.next }

// Describe implements prometheus.Collector.
func (m *readerMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.interval
	ch <- m.failing
	ch <- m.up
	ch <- m.outcomes
	for _, g := range m.gauges {
		ch <- g.desc
	}
}

// Collect implements prometheus.Collector.
func (m *readerMetrics) Collect(ch chan<- prometheus.Metric) {
	now := time.Now().UnixMilli()
	ch <- prometheus.MustNewConstMetric(m.up, prometheus.GaugeValue, bit(m.r.reading() == nil))
	if m.r.writer != nil {
		ch <- prometheus.MustNewConstMetric(m.interval, prometheus.GaugeValue, m.r.writer.pace.next().Seconds())
		ch <- prometheus.MustNewConstMetric(m.failing, prometheus.GaugeValue, m.r.writer.failingFor(now))
	}
	m.r.each(func(s *slot) {
		v := s.status.seen.Load()
		if v == nil {
			return
		}
		p := strconv.Itoa(int(s.id))
		for _, g := range m.gauges {
			ch <- prometheus.MustNewConstMetric(g.desc, g.kind, g.value(s, v, now), p)
		}
		m.collectOutcomes(ch, p, &v.stats)
	})
}

func (m *readerMetrics) collectOutcomes(ch chan<- prometheus.Metric, p string, s *Stats) {
	send := func(n uint64, outcome, reason string) {
		ch <- prometheus.MustNewConstMetric(m.outcomes, prometheus.CounterValue, float64(n), p, outcome, reason)
	}
	send(s.Accepted, "accepted", "")
	send(s.Duplicate, "duplicate", "")
	for reason := event.ReasonNone + 1; reason < event.NumReasons; reason++ {
		send(s.Invalid[reason], "invalid", reason.String())
	}
}

func (m *readerMetrics) wrote(rows int, took time.Duration, err error) {
	if err != nil {
		m.flushSeconds.WithLabelValues("error").Observe(took.Seconds())
		return
	}
	m.flushRows.Observe(float64(rows))
	m.flushSeconds.WithLabelValues("ok").Observe(took.Seconds())
}

func (m *readerMetrics) checkpointed(bytes int, took time.Duration) {
	m.checkpointBytes.Add(float64(bytes))
	m.checkpointTime.Observe(took.Seconds())
}
