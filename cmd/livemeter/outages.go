package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/livemeter/livemeter/pipeline/gateway"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

const (
	upLook   = 2 * time.Second
	upTell   = 10 * time.Second
	upOutage = 5 * time.Second // before it is told: what fails once is none
	diskTell = time.Minute     // until a disk that cannot be written is told again
)

// clickHouseOutages tells with each call that ClickHouse takes no rows, once, and that it takes them again. takes says whether events are taken meanwhile.
func clickHouseOutages(failing func() (since time.Time, err error), takes func() bool, say func(string)) func() {
	var began time.Time // of the one that is told
	return func() {
		since, err := failing()
		switch {
		case err == nil && !began.IsZero():
			say(fmt.Sprintf("ClickHouse takes rows again, after %.0f s", time.Since(began).Seconds()))
			began = time.Time{}
		case err != nil && began.IsZero() && time.Since(since) >= upOutage:
			began = since
			what := "rows wait, and none is lost of what was taken"
			if takes() {
				what = "events are taken, their rows wait and none is lost"
			}
			if kind, _ := clickhouse.Explain(err); kind == clickhouse.Missing {
				what = "new rows wait, and none of them is lost"
			}
			say(fmt.Sprintf("ClickHouse takes no rows, for %.0f s: %s; %s", time.Since(since).Seconds(), oneLine(err), what))
		}
	}
}

// unready tells with each call what rows still wait for, restored state above all, until it returns true: nothing.
func unready(ready func() error, takes func() bool, say func(string)) func() bool {
	began, told := time.Now(), time.Time{}
	return func() bool {
		err := ready()
		switch since := time.Since(began).Round(time.Second); {
		case err != nil && time.Since(told) < upTell:
		case err != nil:
			told = time.Now()
			what := "rows have to wait for a while"
			if takes() {
				what = "events are taken, " + what
			}
			say(fmt.Sprintf("%s: %s … %s", what, oneLine(err), since))
		case !told.IsZero():
			say(fmt.Sprintf("ready after %s", since))
		}
		return err == nil
	}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// kafkaWatch tells that the Kafka of `up` does not answer or takes no records, and when that is over.
type kafkaWatch struct {
	dir     string
	log     *zap.Logger
	say     func(string)
	gateway interface { // it sees an outage first
		Ready() error
		Failing() *gateway.Outage
	}
	collector func() error // nil while what it writes is acknowledged, and it always has something to write

	mu     sync.Mutex
	since  time.Time // of the outage that is told; zero if none
	silent bool      // in it Kafka does not answer
	disk   time.Time // when it last could not write to its disk, in an outage
	told   time.Time // when that was told
}

// diskFailed hears each time that the broker cannot write to its disk. It tells the log, and who sits there: the log may be on the same disk.
func (k *kafkaWatch) diskFailed(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if k.since.IsZero() {
		k.since = now
	}
	k.disk, k.silent = now, false
	if !k.told.IsZero() && now.Sub(k.told) < diskTell {
		return
	}
	k.told = now
	k.log.Error("Kafka cannot write to its disk and takes no more records", zap.Error(err))
	what := "make room on the disk of " + k.dir + ": it then goes on by itself"
	if errors.Is(err, syscall.EFBIG) {
		what = "the limit on the size of files (ulimit -f) is too low: start again without it"
	}
	k.say(fmt.Sprintf("Kafka cannot write to its disk and takes no more records: %s; %s", oneLine(err), what))
}

// look tells what there is to tell now.
func (k *kafkaWatch) look() {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := k.gateway.Failing()
	switch {
	case !k.disk.IsZero():
		if time.Since(k.disk) >= upOutage && k.collector() == nil {
			k.over()
		}
	case !k.since.IsZero():
		if out == nil {
			k.over()
		}
	case out != nil && k.gateway.Ready() != nil && time.Since(out.Since) >= upOutage:
		k.since, k.silent = out.Since, out.Silent
		k.say(oneLine(out) + "; the gateway answers 503, and what gets that has to be sent again")
	}
}

func (k *kafkaWatch) over() {
	what := "takes records"
	if k.silent {
		what = "answers"
	}
	text := fmt.Sprintf("Kafka %s again, after %.0f s", what, time.Since(k.since).Seconds())
	k.log.Info(text)
	k.say(text)
	k.since, k.disk, k.told = time.Time{}, time.Time{}, time.Time{}
}

// takes says whether Kafka takes what the gateway gets.
func (k *kafkaWatch) takes() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.since.IsZero() && k.gateway.Ready() == nil
}
