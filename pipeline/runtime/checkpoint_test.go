package runtime

import (
	"testing"
	"time"
)

// A checkpoint comes as often as configured where it is cheap, takes a fortieth of the time where it is dear, and once a minute at least; while behind it
// is looked for as often, and made once in twelve times or a minute.
func TestCheckpointPace(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		every, packed time.Duration
		behind        bool
		want          time.Duration
	}{
		{5 * s, 0, false, 5 * s},
		{5 * s, s / 8, false, 5 * s},
		{5 * s, s / 4, false, 10 * s},
		{5 * s, 4 * s, false, time.Minute},
		{5 * s, 4 * s, true, 5 * s},
		{2 * time.Minute, 4 * s, false, 2 * time.Minute},
	} {
		if got := nextCheckpoint(c.every, c.packed, c.behind); got != c.want {
			t.Errorf("every %v, packed in %v, behind %v: the next in %v, want %v", c.every, c.packed, c.behind, got, c.want)
		}
	}
	for _, c := range []struct {
		every, since time.Duration
		behind, want bool
	}{
		{5 * s, 0, false, false},
		{5 * s, 59 * s, true, true},
		{5 * s, 60 * s, true, false},
		{s, 11 * s, true, true},
		{s, 12 * s, true, false},
		{2 * time.Minute, 119 * s, true, true},
		{2 * time.Minute, 120 * s, true, false},
	} {
		if got := tooEarly(c.every, c.since, c.behind); got != c.want {
			t.Errorf("every %v, the last %v ago, behind %v: too early %v, want %v", c.every, c.since, c.behind, got, c.want)
		}
	}
}
