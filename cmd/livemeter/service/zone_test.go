package service_test

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// A service that is refused for its zone has changed nothing: the views are those of the services that run.
func TestRefusedZoneLeavesViews(t *testing.T) {
	p := start(t, true, nil)
	topic, group := p.cfg.Kafka.Prefix+runtime.TopicEvents, p.cfg.Kafka.Prefix+p.cfg.Collector.Group
	eventually(t, "the log begins", func() error {
		zone, err := runtime.LogZone(t.Context(), p.cfg.Kafka.Brokers, nil, topic, group)
		if err == nil && zone == "" {
			err = errors.New("nobody has told the zone")
		}
		return err
	})
	other := *p.cfg
	other.Zone, other.Admin.Addr = "Europe/Berlin", "127.0.0.1:0"
	var wrong *runtime.WrongZoneError
	if err := service.CheckZone(t.Context(), &other); !errors.As(err, &wrong) {
		t.Errorf("schema apply asks whether the zone is the log's: %v, want another zone refused", err)
	}
	proc, err := service.New(&other, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if _, err = proc.Store(t.Context(), service.GroupRun); err == nil || !strings.Contains(err.Error(), "was begun with days of") {
		t.Fatalf("the store opens with %v, want another zone refused", err)
	}
	if n := p.query("SELECT count() FROM system.tables WHERE database = '$db' AND position(create_table_query, 'Europe/Berlin') > 0"); n != "0" {
		t.Errorf("%s views cut days in the refused zone", n)
	}
}
