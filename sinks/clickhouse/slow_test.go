package clickhouse

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A start that waits for ClickHouse's system tables is not silent; one that does not says nothing.
func TestSlowSchemaIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		s := &Sink{log: zap.New(core)}
		for _, c := range []struct {
			takes time.Duration
			lines int
		}{{slowApply - time.Millisecond, 0}, {slowApply + time.Millisecond, 1}} {
			done := s.tellSlow("checking the schema")
			time.Sleep(c.takes) // in the bubble of synctest: its clock jumps, nobody waits
			synctest.Wait()
			done()
			if n := len(logs.TakeAll()); n != c.lines {
				t.Errorf("%d lines after %v, want %d", n, c.takes, c.lines)
			}
		}
	})
}
