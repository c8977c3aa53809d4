package service_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// Rows that one database has acknowledged are not sent to another: who starts on the same log with a new one, or with one that was lost and made again,
// is told, and takes nothing away from who was there.
func TestAnotherDatabaseForTheSameLog(t *testing.T) {
	p := start(t, true, nil)
	p.send(&kgo.Record{Topic: p.cfg.Kafka.Prefix + "raw.viewer", Timestamp: received(), Value: []byte(`{}`)})
	p.drain()
	saved := regexp.MustCompile(`livemeter_reader_checkpoint_seconds_count\S* [1-9]`)
	eventually(t, "a checkpoint is made", func() error {
		if _, page := p.page("/metrics"); !saved.MatchString(page) {
			return errors.New("none yet")
		}
		return nil
	})
	other := *p.cfg
	other.ClickHouse.Database, other.Admin.Addr = p.cfg.ClickHouse.Database+"_two", "127.0.0.1:0"
	t.Cleanup(func() { p.query("DROP DATABASE IF EXISTS $db_two") })
	serve := func() error {
		proc, err := service.New(&other, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return proc.Serve(ctx, func(ctx context.Context) (service.Plan, error) {
			store, err := proc.Store(ctx)
			if err != nil {
				return service.Plan{}, err
			}
			_, stage, err := proc.Fused(store)
			return service.Plan{Close: store.Close, Stages: []service.Stage{stage}}, err
		})
	}
	if err := serve(); err == nil || !strings.Contains(err.Error(), "acknowledged by another database") {
		t.Errorf("a second database for the same log: %v, want it refused", err)
	}
	if n := p.query("SELECT count() FROM $db_two.room_rows"); n != "0" {
		t.Errorf("%s rows went to the second database", n)
	}
	p.stop()
	p.query("DROP DATABASE $db SYNC")
	other.ClickHouse.Database = p.cfg.ClickHouse.Database
	if err := serve(); err == nil || !strings.Contains(err.Error(), runtime.ChangelogRun) {
		t.Errorf("the database was lost and made again: %v, want the changelog named", err)
	}
}
