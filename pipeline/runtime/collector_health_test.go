package runtime

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestCollectorHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &CollectorHealth{}
		gone := errors.New("gone")
		for i, step := range []struct {
			do   func()
			want string // "" is ready
		}{
			{func() {}, "not started yet"},
			{h.begin, "after the start"},
			{h.running, ""},
			{func() { h.sends(time.Now()) }, ""},
			// The sleeps are in the bubble of synctest: its clock jumps, nobody waits.
			{func() { time.Sleep(collectorStall + time.Second) }, "no acknowledgement from Kafka for 6s"},
			{func() { h.sends(time.Time{}) }, ""},
			{func() { h.answered(gone) }, "gone"},
			{func() { h.answered(nil) }, ""},
			{func() { h.ended(gone) }, "no session for 0s: gone"},
			{func() { time.Sleep(7 * time.Second); h.ended(gone); h.answered(nil) }, "no session for 7s: gone"},
			{h.running, ""},
		} {
			step.do()
			switch err := h.Ready(); {
			case (err == nil) != (step.want == ""), err != nil && !strings.Contains(err.Error(), step.want):
				t.Errorf("step %d: %v, want %q", i, err, step.want)
			}
		}
	})
}
