package clickhouse

import (
	"testing"
	"time"
)

// Where the server's clock was set back, what is inserted from then on seems to be done: the roller looks back at once, not when the clock has caught up.
func TestSweepWhenTheClockIsSetBack(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	r := &Roller{cfg: DefaultRollerConfig()}
	for _, c := range []struct {
		swept time.Time
		due   bool
	}{{time.Time{}, true}, {now, false}, {now.Add(-14 * time.Minute), false}, {now.Add(-15 * time.Minute), true}, {now.Add(3 * time.Hour), true}} {
		if r.sweptAt = c.swept; r.sweepDue(now) != c.due {
			t.Errorf("swept %s ago: due is %v", now.Sub(c.swept), !c.due)
		}
	}
}
