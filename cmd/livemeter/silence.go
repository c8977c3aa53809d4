package main

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/livemeter/livemeter/bench/festival"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
)

const (
	silent      = 5 * time.Second  // without an acknowledgement, before it is told
	silentAgain = 10 * time.Second // until it is told again
)

// silence finds out that Kafka acknowledges nothing though there is something to acknowledge.
type silence struct {
	brokers     []string
	acked       int64
	since, told time.Time
}

// look says what there is to tell now, "" if nothing.
func (q *silence) look(now time.Time, st festival.Stats) string {
	if st.Acked != q.acked || st.Sent == st.Acked || q.since.IsZero() {
		again := !q.told.IsZero() && st.Acked != q.acked
		q.acked, q.since, q.told = st.Acked, now, time.Time{}
		if again {
			return "Kafka answers again"
		}
		return ""
	}
	if now.Sub(q.since) < silent || now.Sub(q.told) < silentAgain {
		return ""
	}
	q.told = now
	return fmt.Sprintf("Kafka at %s has acknowledged nothing for %.0f s, %s records wait; it is asked on", strings.Join(q.brokers, ","), now.Sub(q.since).Seconds(), ui.Count(st.Sent-st.Acked))
}

// watchAcks looks every second at what a run has told last: a run that waits for room in its buffer tells nothing. stop ends it.
func watchAcks(brokers []string, say func(string)) (tell func(festival.Stats), stop func()) {
	var last atomic.Pointer[festival.Stats]
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		q := &silence{brokers: brokers}
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				if st := last.Load(); st != nil {
					if text := q.look(now, *st); text != "" {
						say(text)
					}
				}
			}
		}
	}()
	return func(st festival.Stats) { last.Store(&st) }, func() { close(done); <-ended }
}
