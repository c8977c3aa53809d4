package ui

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// What takes long is told after two seconds and then at least every three, and no sooner after another line; nothing is told of what is over.
func TestStillTellsWhatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var said []string
		var at []time.Duration
		say := func(s string) { said, at = append(said, s), append(at, time.Since(began)) }
		tell, stop := Still(say, func() string { return "comparing" })
		time.Sleep(4 * time.Second) // all sleeps here are in the bubble of synctest: its clock jumps, nobody waits
		tell("1 row differs")
		time.Sleep(4 * time.Second) // likewise
		stop()
		time.Sleep(time.Minute) // likewise
		if want := []string{"still comparing, for 2 s", "1 row differs", "still comparing, for 7 s"}; !slices.Equal(said, want) || at[2] != 7*time.Second {
			t.Errorf("said %q at %v, want %q", said, at, want)
		}
		said = nil
		failed := errors.New("failed")
		slow := func() error { time.Sleep(4 * time.Second); return failed } // likewise
		err := During(say, func() string { return "stopping" }, slow)
		if want := []string{"still stopping, for 2 s"}; err != failed || !slices.Equal(said, want) {
			t.Errorf("%v, said %q, want %q", err, said, want)
		}
	})
}
