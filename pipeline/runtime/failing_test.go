package runtime

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// Where nobody sees the end of an outage, a failure long after the last one begins another.
func TestFailuresFarApartAreTwoOutages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		f := failing{log: zap.New(core), apart: time.Minute}
		for range 100 {
			f.failed(time.Now(), errors.New("away"), "fails")
			time.Sleep(5 * time.Second) // in the bubble of synctest: its clock jumps, nobody waits
		}
		if l := logs.TakeAll(); len(l) != 4 {
			t.Errorf("500 s are told by %v", l)
		}
		time.Sleep(2 * time.Minute) // likewise
		f.failed(time.Now(), errors.New("away"), "fails")
		if l := logs.TakeAll(); len(l) != 1 || l[0].ContextMap()["failing_for"] != time.Duration(0) {
			t.Errorf("the next one is told by %v", l)
		}
	})
}
