package main

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestUpTellsWhatRowsWaitFor as long as they do, and when it is over; nothing where they never waited.
func TestUpTellsWhatRowsWaitFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		restore := errors.Join(errors.New("partition 0: restoring"), errors.New("partition 1: restoring"))
		for _, c := range []struct {
			what []error // of the looks
			want []string
		}{
			{[]error{nil}, nil},
			{[]error{restore, restore, restore, restore, restore, restore, restore, nil}, []string{
				"events are taken, rows have to wait for a while: partition 0: restoring; partition 1: restoring … 2s",
				"events are taken, rows have to wait for a while: partition 0: restoring; partition 1: restoring … 12s",
				"ready after 16s"}},
		} {
			var said []string
			n := 0
			tell := unready(func() error { n++; return c.what[n-1] }, func(s string) { said = append(said, s) })
			for i := range c.what {
				time.Sleep(upLook) // in the bubble of synctest: its clock jumps, nobody waits
				if over := tell(); over != (i == len(c.what)-1) {
					t.Errorf("look %d: over %v", i, over)
				}
			}
			if !slices.Equal(said, c.want) {
				t.Errorf("said %q, want %q", said, c.want)
			}
		}
	})
}
