package main

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livemeter/livemeter/bench/festival"
)

// TestASilentKafkaIsTold: after some seconds, again while it lasts, also where the run itself has stopped telling, and when it is over.
func TestASilentKafkaIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		tell, stop := watchAcks([]string{"k1:9092"}, func(s string) { said = append(said, s) })
		pass := func(d time.Duration, sent, acked int64) {
			tell(festival.Stats{Sent: sent, Acked: acked})
			time.Sleep(d) // in the bubble of synctest: its clock jumps, nobody waits
			synctest.Wait()
		}
		pass(3500*time.Millisecond, 2000, 1000)
		pass(20*time.Second, 5000, 1000)
		pass(2*time.Second, 5000, 5000)
		pass(20*time.Second, 5000, 5000) // at its end: nothing is to be acknowledged
		stop()
		want := []string{"Kafka at k1:9092 has acknowledged nothing for 5 s, 4,000 records wait; it is asked on",
			"Kafka at k1:9092 has acknowledged nothing for 15 s, 4,000 records wait; it is asked on", "Kafka answers again"}
		if !slices.Equal(said, want) {
			t.Errorf("said %q, want %q", said, want)
		}
	})
}
