package clickhouse

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A roller that fails with each cycle tells so at once, then less and less often.
func TestRollerIsTerseInAnOutage(t *testing.T) {
	var told []time.Duration
	begun := time.Now()
	tells := rollTells{}
	for at := time.Duration(0); at < time.Hour; at += 10 * time.Second {
		if tells.due(begun.Add(at)) {
			told = append(told, at)
		}
	}
	if len(told) != 7 || told[0] != 0 || told[1] > 20*time.Second {
		t.Errorf("an hour is told at %v", told)
	}
}

// What it tells is what is wrong, not the steps of the driver and the whole statement.
func TestRollerTellsTheCause(t *testing.T) {
	s, err := New(Config{Addr: []string{"127.0.0.1:1"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := NewRoller(s, 1, DefaultRollerConfig())
	if err != nil {
		t.Fatal(err)
	}
	_, noTime := r.serverTime(t.Context())
	_, noPeak := r.newestPeak(t.Context(), 0, 0)
	for step, err := range map[string]error{"time": noTime, "newest peak": noPeak, "statement": r.statement(t.Context(), "step", "SELECT 1"),
		"peaks": r.peakLevel(t.Context(), 0, r.levels()[0], time.Now())} {
		if lost := (*NoAnswerError)(nil); !errors.As(err, &lost) || strings.Contains(err.Error(), "SELECT") {
			t.Errorf("%s: %v", step, err)
		}
	}
}

// Its first failure is a line of the log.
func TestRollerThatFailsSaysSo(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	s, err := New(Config{Addr: []string{"127.0.0.1:1"}}, zap.New(core), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cfg := DefaultRollerConfig()
	cfg.Every = time.Millisecond
	r, err := NewRoller(s, 1, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for logs.Len() == 0 && t.Context().Err() == nil {
		<-again.C
	}
	cancel()
	<-ended
	if l := logs.All(); len(l) != 1 || l[0].ContextMap()["failed_in_a_row"] != int64(1) {
		t.Errorf("the lines are %v", l)
	}
}
