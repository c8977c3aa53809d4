package runtime

import (
	"testing"
	"time"
)

// A reader at the end of its log is behind all the same while the receive times in it run faster than the clock.
func TestPursuit(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	for _, c := range []struct {
		name  string
		speed float64 // receive time gained in a unit of clock
		want  bool
	}{{"catching up", 10, true}, {"live", 1, false}, {"a source that is late", 0.5, false}, {"quiet", 0, false}} {
		t.Run(c.name, func(t *testing.T) {
			var p pursuit
			recv := start.Add(-time.Hour)
			if !p.going(start, recv.UnixMilli()) {
				t.Error("at first sight of an old record it must be taken for a backlog")
			}
			got := false
			for at := time.Duration(0); at <= 5*time.Second; at += 50 * time.Millisecond {
				got = p.going(start.Add(at), recv.Add(time.Duration(c.speed*float64(at))).UnixMilli())
			}
			if got != c.want {
				t.Errorf("after 5 s: %v, want %v", got, c.want)
			}
		})
	}
}
