package runtime

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

// A reader that Kafka does not answer says so, where it waits for its group, and not any more when there is an answer.
func TestReaderSaysThatKafkaIsSilent(t *testing.T) {
	w := newWorld(t)
	hangs, goes := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.cluster.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) { // and all of the broker with it
		once.Do(func() { close(hangs) })
		<-goes
		return nil, nil, false
	})
	r := w.start(w.config())
	<-hangs
	eventually(t, "it says so", func() (bool, string) {
		err := r.Ready()
		return err != nil && strings.Contains(err.Error(), "not in group g for ") && strings.Contains(err.Error(), "Kafka does not answer"), ""
	})
	close(goes)
	eventually(t, "it is ready", func() (bool, string) { return r.Ready() == nil, "" })
	r.stop()
}

// What is heard of Kafka neither hides what the group's client says, nor outlasts the answer.
func TestReaderHears(t *testing.T) {
	r := &Reader{cfg: ReaderConfig{Group: "g"}, outside: time.Now()}
	for _, c := range []struct {
		what string
		do   func()
		want string
	}{
		{"silence", func() { r.heard(&silentError{}) }, "Kafka does not answer"},
		{"an answer", func() { r.heard(nil) }, "has not assigned"},
		{"an error of the group", func() { r.left(errors.New("refused")) }, "refused"},
		{"an answer after it", func() { r.heard(nil) }, "refused"},
	} {
		if c.do(); !strings.Contains(r.member().Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, r.member(), c.want)
		}
	}
}

// An outage that ended partitions is over when all of them have been read for a while: the next one is another.
func TestPartitionsThatAreReadEndTheirOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &Reader{log: zap.NewNop(), joined: true}
		r.ending = failing{log: r.log, apart: time.Minute}
		s := &slot{r: r}
		s.status.phase.Store("restoring")
		r.slots = map[int32]*slot{0: s}
		go r.watchKafka(t.Context(), nil)
		ends := func(after, want time.Duration) {
			t.Helper()
			time.Sleep(after) // simulated
			r.ending.failed(time.Now(), errors.New("away"), "ended")
			if since, _ := r.ending.now(); time.Since(since) != want {
				t.Errorf("fails for %v, want %v", time.Since(since), want)
			}
		}
		ends(0, 0)
		ends(40*time.Second, 40*time.Second) // all of it being restored
		s.status.phase.Store(running)
		ends(10*time.Second, 50*time.Second) // what comes and goes is one
		ends(10*time.Second, 60*time.Second)
		ends(40*time.Second, 0)
	})
}
