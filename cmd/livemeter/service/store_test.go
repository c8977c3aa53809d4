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

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/runtime"
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
	if err := p.refused(&other, true); err == nil || !strings.Contains(err.Error(), "acknowledged by another database") || !strings.Contains(err.Error(), "("+p.cfg.Kafka.Prefix+runtime.ChangelogRun+")") {
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
	if err := p.refused(&other, true); err == nil || !strings.Contains(err.Error(), "--clickhouse-take-over") {
		t.Errorf("the database was lost and made again: %v, want to be told what to do", err)
	}
	p.cfg.ClickHouse.TakeOver = true
	p.restart(true)
	p.send(&kgo.Record{Topic: p.cfg.Kafka.Prefix + "raw.viewer", Timestamp: received(), Value: []byte(enter("e-1", "room", ""))})
	p.drain()
	if n := p.query("SELECT sum(events) FROM $db.room_measures WHERE grain = '1d'"); n != "1" {
		t.Errorf("%s events after taking over, want the one that came since", n)
	}
	p.stop()
	p.cfg.ClickHouse.TakeOver = false
	p.restart(true) // the commits name this one now
}

// refused serves with another configuration and gives the error that it ends with.
func (p *pipeline) refused(cfg *config.Config, fused bool) error {
	p.t.Helper()
	proc, err := service.New(cfg, zap.NewNop())
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	next := &pipeline{t: p.t, cfg: cfg, process: proc}
	return proc.Serve(ctx, func(ctx context.Context) (service.Plan, error) { return next.plan(ctx, fused) })
}

// restart begins anew with what p.cfg says by now.
func (p *pipeline) restart(fused bool) {
	p.t.Helper()
	var err error
	if p.process, err = service.New(p.cfg, zap.NewNop()); err != nil {
		p.t.Fatal(err)
	}
	if p.faults != nil {
		p.faults()
	}
	p.readers = nil
	p.serve(fused)
}

// Where the state is gone and the log's beginning too, what the log still holds is not added to the rows that are there; nor are differences taken for all of it.
func TestLostStateBesideATrimmedLog(t *testing.T) {
	for _, c := range []struct {
		name, topic, changelog, want string
		fused                        bool
	}{
		{"run", runtime.TopicEvents, runtime.ChangelogRun, "the database has rows of it", true},
		{"aggregator", runtime.TopicEnriched, runtime.ChangelogAggregator, "its records are differences to those before", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, c.fused, nil)
			topic, changelog := p.cfg.Kafka.Prefix+c.topic, p.cfg.Kafka.Prefix+c.changelog
			p.send(&kgo.Record{Topic: p.cfg.Kafka.Prefix + "raw.viewer", Timestamp: received(), Value: []byte(enter("e-1", "room", ""))})
			p.drain()
			p.stop()
			if _, err := p.adm.DeleteTopic(t.Context(), changelog); err != nil {
				t.Fatal(err)
			}
			ends, err := p.adm.ListEndOffsets(t.Context(), topic)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.adm.DeleteRecords(t.Context(), ends.Offsets()); err != nil {
				t.Fatal(err)
			}
			if err := p.refused(p.cfg, c.fused); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("ended with %v, want %q", err, c.want)
			}
		})
	}
}
