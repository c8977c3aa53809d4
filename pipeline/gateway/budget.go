package gateway

import "sync/atomic"

// budget bounds the bytes of all bodies that are being read or wait for Kafka.
type budget struct {
	limit int64
	used  atomic.Int64
}

// lease is one request's share of the budget. It has one owner at a time: the handler, then the batch.
type lease struct {
	from *budget
	held int64
}

// grow takes n more bytes, or nothing and false.
func (l *lease) grow(n int64) bool {
	if l.from.used.Add(n) > l.from.limit {
		l.from.used.Add(-n)
		return false
	}
	l.held += n
	return true
}

func (l *lease) shrinkTo(n int64) {
	l.from.used.Add(n - l.held)
	l.held = n
}

func (l *lease) release() { l.shrinkTo(0) }
