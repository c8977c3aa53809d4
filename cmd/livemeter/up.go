package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/stack"
	"github.com/livemeter/livemeter/deploy/embedded"
)

type upCmd struct {
	Dir string `default:"./livemeter-data" help:"Data directory; what is in it goes on where it stopped."`
	localFlags
}

func (upCmd) Help() string {
	return `Kafka, ClickHouse, pipeline and gateway on this machine, for your own producers. The broker takes the producer's timestamp as the receive time.
The engines are its own: of a --config, what belongs to servers elsewhere (kafka.brokers, users, TLS) is ignored, and clickhouse.addr is where its ClickHouse listens.

Example:
    livemeter up
    livemeter up --dir /var/tmp/shop --kafka apache --horizon 720h`
}

func (c upCmd) Run(ctx context.Context, g global, s streams) error {
	ctx, readers, unwatched := whileRead(ctx)
	defer unwatched()
	s.out, s.err = readers.of(s.out), readers.of(s.err)
	l, err := c.startLocal(ctx, g, c.Dir, sayTo(s.err))
	if err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(s.err, "stopped before everything was started")
			return nil
		}
		return err
	}
	l.addresses(s.out, time.Now())
	look := time.NewTicker(upLook)
	defer look.Stop()
	ready, outage := unready(l.reader.Ready, l.kafka.takes, l.say), clickHouseOutages(l.reader.SinkFailing, l.kafka.takes, l.say)
	for begun := false; ; {
		select {
		case <-look.C:
			l.kafka.look()                       // first: what the others say of it is then true
			if begun = begun || ready(); begun { // until then an outage is one of the things that rows wait for
				outage()
			}
		case <-ctx.Done():
			fmt.Fprintln(s.err, "stopping; Ctrl-C again ends at once")
			return c.stopped(l.stop(), s)
		case err := <-l.ended:
			return errors.Join(l.explain(goesOn(l.died(err), c.Dir)), l.stop())
		}
	}
}

// stopped is the last word of an end in order.
func (c upCmd) stopped(err error, s streams) error {
	if err == nil {
		fmt.Fprintf(s.err, "stopped; the data is kept in %s, the log is %s: `up` with the same --dir goes on from there\n", c.Dir, filepath.Join(c.Dir, logName))
	}
	return err
}

// goesOn adds to the end of an engine what whoever finds up ended has to know.
func goesOn(err error, dir string) error {
	var engine *stack.EndedError
	if errors.As(err, &engine) {
		return fmt.Errorf("%w\nstart `up` again with the same --dir (%s): nothing is lost", err, dir)
	}
	return err
}

// addresses prints where everything is, with a line to try for each.
func (l *local) addresses(w io.Writer, now time.Time) {
	at := now.UnixMilli()
	event := func(n int) string {
		return fmt.Sprintf(`{"event_id":"e-%[1]d-%[2]d","schema_version":"1-0-0","type":"viewer","action":"enter","platform":"douyin","room_id":"r_1","live_session_id":"ls_1",`+
			`"user_id":"u_%[2]d","view_id":"v_%[1]d_%[2]d","sdk_instance_id":"i_%[1]d_%[2]d","seq":1,"client_ts":%[1]d,"sent_ts":%[1]d}`, at, n)
	}
	broker, ch, db := l.cfg.Kafka.Brokers[0], l.cfg.ClickHouse.Addr[0], l.cfg.ClickHouse.Database
	topic := l.cfg.Kafka.Prefix + "raw.viewer"
	wants, header := "", ""
	if tokens := l.cfg.Gateway.Tokens; len(tokens) > 0 { // its name alone: what is printed here ends in logs and on screens that are shared
		wants, header = fmt.Sprintf(" (TOKEN is the secret of %q in gateway.tokens)", tokens[0].Name), "-H 'Authorization: Bearer TOKEN' "
	}
	fmt.Fprintf(w, `
Kafka       %[1]s
  echo '%[2]s' | kcat -P -b %[1]s -t %[3]s
Gateway     http://%[4]s%[12]s
  curl -s http://%[4]s/v1/events %[13]s-H 'Content-Type: application/x-ndjson' -d '%[9]s'
ClickHouse  http://%[5]s
  curl -s http://%[5]s --data "SELECT window_start, room_id, viewers, views, status FROM %[6]s.room_measures WHERE grain = '1m' AND room_id = 'r_1' FORMAT PrettyCompact"
Metrics     http://%[7]s/metrics
  curl -s http://%[7]s/readyz
Log         %[8]s

Rooms in the terminal: %[10]s kpi%[11]s
Ctrl-C stops.
`, broker, event(1), topic, embedded.Dial(l.gateway), ch, db, embedded.Dial(l.process.Addr), l.logFile, event(2), self(), clickHouseFlags(l.cfg, nil), wants, header)
}

// self is this program as it was called, so that a printed line can be pasted.
func self() string {
	if filepath.Base(os.Args[0]) == "livemeter" {
		return os.Args[0]
	}
	return "livemeter"
}
