package stack

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// The test binary is also the process of the embedded ClickHouse.
func TestMain(m *testing.M) { testengine.Main(m) }

// A directory belongs to the kind of Kafka that it was begun with, unless both have been there before.
func TestAnotherKafkaForADirectory(t *testing.T) {
	dir := t.TempDir()
	begin := func(name string) {
		if err := os.MkdirAll(filepath.Join(dir, kafkaDirs[name], "data"), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkKafka(dir, "apache"); err != nil {
		t.Errorf("an empty directory: %v", err)
	}
	begin("embedded")
	if err := checkKafka(dir, "embedded"); err != nil {
		t.Error(err)
	}
	if err := checkKafka(dir, "apache"); err == nil || !strings.Contains(err.Error(), "--kafka embedded") || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("another Kafka: %v", err)
	}
	begin("apache")
	if err := checkKafka(dir, "apache"); err != nil {
		t.Errorf("both are there: %v", err)
	}
}

// A start that fails leaves the choice of Kafka open, whatever it failed at.
func TestAFailedStartBeginsNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]struct {
		clickHouse, want string
		prepare          func(*testing.T)
	}{
		"no engine": {"127.0.0.1:0", "npm is needed", func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			t.Setenv("LIVEMETER_ENGINES", t.TempDir())
		}},
		"ClickHouse's port in use": {taken.Addr().String(), "in use", func(*testing.T) {}},
	} {
		t.Run(name, func(t *testing.T) {
			c.prepare(t)
			dir := t.TempDir()
			_, err := Start(t.Context(), Options{Dir: dir, KafkaAddr: "127.0.0.1:0", ClickHouseAddr: c.clickHouse, Progress: func(string) {}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("start: %v, want %q", err, c.want)
			}
			if err := checkKafka(dir, "apache"); err != nil {
				t.Error(err)
			}
		})
	}
}

// An engine that takes long to stop is named.
func TestStopNamesWhatItWaitsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said []string
		slow := func() error { time.Sleep(4 * time.Second); return nil } // in the bubble of synctest: its clock jumps, nobody waits
		s := &Stack{stops: []stop{{"Kafka", func() error { return nil }}, {"ClickHouse", slow}}}
		if err := s.Stop(func(text string) { said = append(said, text) }); err != nil || !slices.Equal(said, []string{"still stopping ClickHouse, for 2 s"}) {
			t.Errorf("%v, said %q", err, said)
		}
	})
}
