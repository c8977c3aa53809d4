package service_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/service"
)

// Rows that one database has acknowledged are not sent to another: who starts on the same log with a new one, or with one that was lost and made again,
// is told, and takes nothing away from who was there.
func TestAnotherDatabaseForTheSameLog(t *testing.T) {
	p := start(t, true, nil)
	p.send(&kgo.Record{Topic: p.cfg.Kafka.Prefix + "raw.viewer", Timestamp: received(), Value: []byte(`{}`)})
	p.drain()
	eventually(t, "a commit says which database has the rows", func() error {
		offsets, err := p.adm.FetchOffsets(t.Context(), p.cfg.Kafka.Prefix+"run")
		for _, o := range offsets.Sorted() {
			if strings.HasPrefix(o.Metadata, "store=") {
				return err
			}
		}
		return errors.Join(err, errors.New("none yet"))
	})
	_, before := p.page("/metrics")
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
			store, err := proc.Store(ctx, service.StoreOfRun)
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
	if n := p.query("SELECT count() FROM system.databases WHERE name = '$db_two'"); n != "0" {
		t.Error("the second database was made before it was refused")
	}
	restarts := regexp.MustCompile(`(?m)^livemeter_reader_(restarts_total|restore_seconds_count).*$`)
	if _, after := p.page("/metrics"); !slices.Equal(restarts.FindAllString(before, -1), restarts.FindAllString(after, -1)) {
		t.Errorf("the first pipeline was disturbed: %q became %q", restarts.FindAllString(before, -1), restarts.FindAllString(after, -1))
	}
	p.stop()
	p.query("DROP DATABASE $db SYNC")
	other.ClickHouse.Database = p.cfg.ClickHouse.Database
	if err := serve(); err == nil || !strings.Contains(err.Error(), "--clickhouse-take-over") {
		t.Errorf("the database was lost and made again: %v, want to be told what to do", err)
	}
}
