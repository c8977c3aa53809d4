package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/proof"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/deploy/embedded/kafka"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// theirs are servers of somebody who has other things there, which have to stay.
type theirs struct {
	t        *testing.T
	adm      *kadm.Client
	addr     string // of ClickHouse
	database string
	options  proof.Options
	said     []string
}

const theirTopic = "livemeter-verify-theirs"

// theirServers are engines of this test, and options of a proof on them that takes seconds: its workers are this test binary.
func theirServers(t *testing.T, brokers []string) *theirs {
	t.Helper()
	t.Setenv(asBinary, "1")
	t.Setenv("TMPDIR", t.TempDir()) // logs that are kept
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	th := &theirs{t: t, adm: kadm.NewClient(client)}
	t.Cleanup(th.adm.Close)
	if _, err := th.adm.CreateTopic(t.Context(), 1, 1, nil, theirTopic); err != nil {
		t.Fatal(err)
	}
	th.addr, th.database = testengine.ClickHouse(t)
	cfg := config.Default()
	cfg.Kafka.Brokers, cfg.ClickHouse.Addr, cfg.ClickHouse.Database, cfg.Topics.LogAppend, cfg.CheckpointEvery = brokers, []string{th.addr}, th.database, false, time.Second
	th.options = proof.Options{Config: cfg, ID: proof.NewID(), Wiring: "run", Rate: 2000, For: 4 * time.Second, Faster: 10, Patience: time.Minute,
		Say: func(line string) { th.said = append(th.said, line) }, Now: func(string) {}, Left: func(bool) {}}
	return th
}

// prove runs the proof.
func (th *theirs) prove(ctx context.Context) (*proof.Report, error) {
	th.t.Helper()
	began := time.Now()
	report, err := proof.Run(ctx, th.options)
	th.t.Logf("after %.1f s: %v\n%s", time.Since(began).Seconds(), err, strings.Join(th.said, "\n"))
	return report, err
}

// there is what the servers have of a proof.
func (th *theirs) there() (out []string) {
	th.t.Helper()
	topics, err := th.adm.ListTopics(th.t.Context())
	if err != nil {
		th.t.Fatal(err)
	}
	groups, err := th.adm.ListGroups(th.t.Context())
	if err != nil {
		th.t.Fatal(err)
	}
	if !slices.Contains(topics.Names(), theirTopic) || testengine.Exec(th.t, th.addr, "EXISTS DATABASE "+th.database) != "1\n" {
		th.t.Error("what was theirs is gone")
	}
	for _, name := range append(topics.Names(), groups.Groups()...) {
		if strings.HasPrefix(name, "livemeter-verify-"+th.options.ID) {
			out = append(out, name)
		}
	}
	if testengine.Exec(th.t, th.addr, "EXISTS DATABASE livemeter_verify_"+th.options.ID) == "1\n" {
		out = append(out, "database")
	}
	return out
}

// clean fails the test where something of the proof remains.
func (th *theirs) clean() {
	th.t.Helper()
	if rest := th.there(); len(rest) > 0 {
		th.t.Errorf("remain: %v", rest)
	}
}

// TestVerifySelf: with services apart all is equal, and nothing remains but what was there before.
func TestVerifySelf(t *testing.T) {
	th := theirServers(t, testengine.FakeKafka(t))
	th.options.Wiring = "services"
	report, err := th.prove(t.Context())
	if err != nil || !report.Equal || report.Compared < 1000 || report.Events < 5_000 {
		t.Fatalf("%v, %+v; want thousands of rows, all equal", err, report)
	}
	th.clean()
}

// TestVerifySelfChaos: workers that do all of it are killed or suspended, and nothing changes.
func TestVerifySelfChaos(t *testing.T) {
	th := theirServers(t, testengine.FakeKafka(t))
	th.options.Chaos, th.options.Seed, th.options.For = true, 3, 8*time.Second
	report, err := th.prove(t.Context())
	if err != nil || !report.Equal || report.Kills+report.Suspensions == 0 {
		t.Fatalf("%v, %+v; want faults, and all rows equal", err, report)
	}
	th.clean()
}

// TestVerifySelfDiffers: a row that no worker should have written is found and named; what is kept another command removes.
func TestVerifySelfDiffers(t *testing.T) {
	th := theirServers(t, testengine.FakeKafka(t))
	th.options.Keep, th.options.Patience = true, time.Second
	inserted := false
	th.options.Now = func(what string) {
		if !inserted && strings.HasPrefix(what, "comparing") {
			inserted = true
			testengine.Exec(t, th.addr, "INSERT INTO livemeter_verify_"+th.options.ID+".outcomes_rows (epoch, part, source_topic, source_partition, minute, outcome, version, records) "+
				"SELECT epoch, part, source_topic, source_partition, '2026-01-01 00:00:00', 'accepted', 1, 7 FROM livemeter_verify_"+th.options.ID+".outcomes_rows LIMIT 1")
		}
	}
	report, err := th.prove(t.Context())
	if err != nil || report.Equal || !slices.ContainsFunc(report.Differences, func(d string) bool { return strings.Contains(d, "2026-01-01T00:00:00.000Z accepted") }) {
		t.Fatalf("%v, %+v; want the row that is too much, by name", err, report)
	}
	if rest := th.there(); !slices.Contains(rest, "database") || len(rest) < 10 {
		t.Errorf("with --keep there is %v", rest)
	}
	where := []string{"--kafka-brokers", th.options.Config.Kafka.Brokers[0], "--clickhouse-addr", th.addr}
	code, _, errOut := livemeter(t, "", append([]string{"verify", "--self", "--remove", th.options.ID}, where...)...)
	if code != exitOK || !strings.Contains(errOut, "removed: ") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	th.clean()
	if code, _, errOut = livemeter(t, "", append([]string{"verify", "--self", "--remove", "theirs"}, where...)...); code != exitFail || !strings.Contains(errOut, "names no proof") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

// TestVerifySelfInterrupted: in the middle of the load nothing is compared, and nothing remains.
func TestVerifySelfInterrupted(t *testing.T) {
	th := theirServers(t, testengine.FakeKafka(t))
	ctx, interrupt := context.WithCancel(t.Context())
	th.options.For = time.Hour
	th.options.Now = func(what string) {
		if strings.Contains(what, "events sent") && len(th.there()) > 10 {
			interrupt()
		}
	}
	if report, err := th.prove(ctx); report != nil || !errors.Is(err, proof.ErrInterrupted) {
		t.Errorf("%+v, %v; want no report, and why", report, err)
	}
	th.clean()
}

// TestVerifySelfEndsAtOnce: the first signal stops it and begins to clean up, which Kafka does not let it finish; the second ends it at once, with the
// command that removes what is left, which is then all.
func TestVerifySelfEndsAtOnce(t *testing.T) {
	fake, err := kafka.StartFake("", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	th := theirServers(t, fake.Brokers())
	p := startProcess(t, "verify", "--self", "--rate", "500", "--kafka-brokers", fake.Brokers()[0], "--clickhouse-addr", th.addr)
	says := func(text string) (all string) {
		t.Helper()
		eventually(t, fmt.Sprintf("verify says %q", text), func() error {
			if all = readFile(t, p.log); !strings.Contains(all, text) {
				return fmt.Errorf("so far: %s", all)
			}
			return nil
		})
		return all
	}
	says("events sent")
	var lets atomic.Bool
	fake.Cluster.ControlKey(int16(kmsg.DeleteTopics), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.Cluster.KeepControl()
		return nil, errors.New("not now"), !lets.Load()
	})
	for _, wait := range []string{"removing topics", "ended at once"} {
		if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		says(wait)
	}
	log := says("--remove ")
	<-p.done
	p.done = nil
	lets.Store(true)
	_, command, _ := strings.Cut(log, "to remove what is left: ")
	args := strings.Fields(command)
	th.options.ID = args[slices.Index(args, "--remove")+1]
	if rest := th.there(); len(rest) < 10 {
		t.Errorf("there is %v, want what was left", rest)
	}
	if code, _, errOut := livemeter(t, "", args[1:]...); code != exitOK {
		t.Errorf("%q: exit code %d: %s", args, code, errOut)
	}
	th.clean()
}

// TestMoving: what is being done is told every few seconds, as it is then, and what stays at once.
func TestMoving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		say, now, quiet := moving(ui.NewTerminal(&b))
		say("in a place")
		time.Sleep(time.Second / 2) // beside the ticks; all sleeps here are in the bubble of synctest: its clock jumps, nobody waits
		for n := range 8 {
			now(fmt.Sprintf("step %d", n/6))
			time.Sleep(time.Second) // likewise
		}
		time.Sleep(5 * time.Second) // likewise
		quiet()
		if want := "in a place\nstep 0\nstep 0 … for 6 s\nstep 1\nstep 1 … for 6 s\n"; b.String() != want {
			t.Errorf("got\n%s\nwant\n%s", b.String(), want)
		}
	})
}

// TestVerifySelfTouchesNothing: a place that is somebody's already stays as it is, be it a topic, a group or a database.
func TestVerifySelfTouchesNothing(t *testing.T) {
	th := theirServers(t, testengine.FakeKafka(t))
	for _, c := range []struct{ what, is string }{{"topic", "livemeter-verify-%s.raw.viewer"}, {"database", "database"}} {
		th.options.ID = proof.NewID()
		want := []string{c.is}
		if c.what == "topic" {
			want[0] = fmt.Sprintf(c.is, th.options.ID)
			if _, err := th.adm.CreateTopic(t.Context(), 1, 1, nil, want[0]); err != nil {
				t.Fatal(err)
			}
		} else {
			name := "livemeter_verify_" + th.options.ID
			testengine.Exec(t, th.addr, "CREATE DATABASE "+name)
			t.Cleanup(func() { testengine.Exec(t, th.addr, "DROP DATABASE "+name) })
		}
		_, err := th.prove(t.Context())
		if err == nil || !strings.Contains(err.Error(), "nothing was touched") || !slices.Equal(th.there(), want) {
			t.Errorf("%s: %v, and there is %v", c.what, err, th.there())
		}
	}
}

// TestVerifySelfReplication: one broker cannot hold three copies, nor acknowledge what it has no second copy of. The error says what can be done, and
// nothing remains of what was made before.
func TestVerifySelfReplication(t *testing.T) {
	th := theirServers(t, testengine.FakeKafka(t, kfake.BrokerConfigs(map[string]string{"min.insync.replicas": "2"})))
	for replication, want := range map[int]string{3: "wants --topics-replication 1", 1: "get 1 replicas (topics.replication 1) and take records once 2 have them (min.insync.replicas)"} {
		th.options.Config.Topics.Replication, th.options.ID = replication, proof.NewID()
		if _, err := th.prove(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		th.clean()
	}
}

// TestUsageOfVerifySelf: flags of one way mean nothing to the other.
func TestUsageOfVerifySelf(t *testing.T) {
	for _, args := range []string{"--chaos --ledger x", "--for 1m --ledger x", "--self --ledger x", "--self --rate -1", "--self --rate NaN", "--self --wiring apart"} {
		if code, _, errOut := livemeter(t, "", append([]string{"verify"}, strings.Fields(args)...)...); code != exitUsage || !strings.Contains(errOut, "livemeter: ") {
			t.Errorf("%s: exit code %d, want 2 and a message: %s", args, code, errOut)
		}
	}
}
