package engines

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestALongStepTellsHowLongItTakes: at the time that it is told, not at the time before.
func TestALongStepTellsHowLongItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		err := reporter(func(s string) { said = append(said, s) }).during("fetching", func() error {
			time.Sleep(9 * time.Second) // in the bubble of synctest: its clock jumps, nobody waits
			return nil
		})
		if want := []string{"fetching", "still fetching, for 5 s", "still fetching, for 8 s"}; err != nil || !slices.Equal(said, want) {
			t.Errorf("%v, said %q, want %q", err, said, want)
		}
	})
}
