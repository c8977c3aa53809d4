package clickhouse

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// Of an outage that fails thousands of attempts on several tables some lines are left: its beginning, a few while it lasts, and its end.
func TestOutageIsToldInFewLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		s := &Sink{cfg: Config{}.WithDefaults(), m: newMetrics(nil), outage: outage{log: zap.New(core)}}
		const lasts = 2 * time.Hour
		back := time.Now().Add(lasts)
		insert := func(table string) error {
			return s.retry(t.Context(), table, func(context.Context) error {
				if time.Now().Before(back) {
					return errors.New("refused")
				}
				return nil
			})
		}
		ended := make(chan error)
		for _, table := range []string{"room_rows", "sku_rows"} {
			go func() { ended <- insert(table) }()
		}
		time.Sleep(30 * time.Second)
		if l := logs.TakeAll(); len(l) != 2 || l[0].Context[0].Interface.(error).Error() != "clickhouse: table "+l[0].ContextMap()["table"].(string)+": refused" {
			t.Errorf("after 30 s: %v", l)
		}
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		l := logs.TakeAll()
		if len(l) < 5 || len(l) > 15 {
			t.Errorf("%d more lines of two hours", len(l))
		}
		last := l[len(l)-1]
		if last.Message != "ClickHouse takes rows again" || last.ContextMap()["was_away"].(time.Duration) < lasts {
			t.Errorf("the end: %v", last)
		}
		if err := insert("room_rows"); err != nil || logs.Len() != 0 {
			t.Errorf("%v, %v after it", err, logs.All())
		}
	})
}

// Who gives an INSERT up does not end the outage; the next one that is stored does.
func TestOutageGoesOnBetweenWrites(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	o := outage{log: zap.New(core)}
	o.failed("a", errors.New("x"), true)
	o.done(false, true)
	o.failed("a", errors.New("x"), true)
	o.failed("b", errors.New("x"), true)
	o.done(true, true)
	if l := logs.TakeAll(); len(l) != 1 {
		t.Errorf("while one is being repeated: %v", l)
	}
	o.done(true, true)
	o.done(true, false)
	if l := logs.TakeAll(); len(l) != 1 || l[0].ContextMap()["failed_attempts"].(int64) != 3 {
		t.Errorf("the end: %v", l)
	}
}

// A roller that fails with each cycle tells so less and less often.
func TestRollerIsTerseInAnOutage(t *testing.T) {
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for logs.Len() < 6 && ctx.Err() == nil {
		<-again.C
	}
	cancel()
	<-ended
	if l := logs.All(); len(l) < 6 || l[5].ContextMap()["failed_in_a_row"] != int64(32) {
		t.Errorf("the lines are %v", l)
	}
}
