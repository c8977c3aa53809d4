package service_test

import (
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
)

// TestLogIsStructuredAndSampled: a storm of equal lines leaves the others readable.
func TestLogIsStructuredAndSampled(t *testing.T) {
	var out logBuffer
	log, err := service.NewLogger(config.Log{Level: "info", Format: "json"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50_000 {
		log.Warn("storm", zap.Int("i", i))
	}
	log.Debug("below the level")
	log.Info("other")
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) < 100 || len(lines) > 1500 { // a hundred a second, then every thousandth; slow machines need some seconds
		t.Errorf("%d lines of 50001", len(lines))
	}
	var last struct{ Level, Time, Msg string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Msg != "other" || last.Level != "info" || last.Time == "" {
		t.Errorf("last line %s: %v", lines[len(lines)-1], err)
	}
}
