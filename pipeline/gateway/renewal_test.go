package gateway

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// renewing is the renewal of one topic, of which Kafka says that its id is as it was told here at the start.
type renewing struct {
	renewal
	t      *testing.T
	id     byte
	purged int
}

func newRenewing(t *testing.T) *renewing {
	r := &renewing{t: t, id: 2}
	r.purge = func(...string) { r.purged++ }
	r.ask = func(context.Context, string) ([16]byte, error) { return [16]byte{r.id}, nil }
	r.learn(t.Context(), []string{"raw.cost"})
	return r
}

// fails lets so many records fail, each after a pause.
func (r *renewing) fails(records int, every time.Duration) {
	for range records {
		time.Sleep(every) // simulated
		r.failed("raw.cost", time.Now(), kerr.UnknownTopicID)
		synctest.Wait()
	}
}

func (r *renewing) wants(when string, purged int) {
	r.t.Helper()
	if r.purged != purged {
		r.t.Errorf("%s: loaded anew %d times, want %d", when, r.purged, purged)
	}
}

// The client may know another id than the one that was told here: a topic that fails again and again is loaded anew, however seldom a record comes for it.
func TestATopicThatOnlyFailsIsLoadedAnew(t *testing.T) {
	for _, every := range []time.Duration{time.Millisecond, 5 * time.Second, time.Minute, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			r := newRenewing(t)
			moments := int(max(1, failsApart/every))
			r.fails((failsOften-1)*moments, every)
			r.wants("before it has failed for half a minute", 0)
			r.fails(1, every)
			r.wants("then", 1)
			r.fails((failsOften-1)*moments, every)
			r.wants("what failed before that counts no more", 1)
			r.fails(1, every)
			r.wants("and once more", 2)
		})
	}
}

// Brokers that are catching up now and then, with records between that they take, or without any, are no reason to load a topic anew.
func TestATopicThatFailsForMomentsIsNotLoadedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRenewing(t)
		for range failsOften - 1 {
			r.fails(90, failsApart/100)
			time.Sleep(time.Hour) // simulated
		}
		r.wants("with nothing in between", 0)
		for range 3 * failsOften {
			r.took("raw.cost")
			r.fails(90, failsApart/100)
			time.Sleep(time.Hour) // simulated
		}
		r.wants("with records that were taken in between", 0)
		r.took("raw.cost")
		r.fails(failsOften-1, failsApart)
		r.took("raw.viewer")
		r.took("raw.cost")
		r.fails(failsOften-1, failsApart)
		r.wants("with records of another topic, too", 0)
		r.took("raw.viewer")
		r.fails(1, failsApart)
		r.wants("what is taken for another topic says nothing", 1)
	})
}

// What was handed to the client before the last purge says nothing of the topic as it is since, however much of it fails and whatever its id is by then.
func TestWhatFailsFromBeforeAPurgeDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRenewing(t)
		early := time.Now()
		r.id = 3
		r.fails(1, time.Second)
		r.wants("made again", 1)
		r.id = 4
		for range 2 * failsOften {
			r.failed("raw.cost", early, kerr.UnknownTopicID)
			synctest.Wait()
			time.Sleep(failsApart) // simulated
		}
		r.wants("of those from before", 1)
		r.id = 3
		r.fails(1, time.Second)
		r.wants("of the first after them", 1)
	})
}

// What Kafka takes is told: the topic does not fail any more.
func TestATopicThatTakesARecordDoesNotFail(t *testing.T) {
	b := newBench(t, nil)
	r := &b.srv.renewal
	r.learn(t.Context(), []string{viewerTopic})
	r.failed(viewerTopic, time.Now(), kerr.UnknownTopicID)
	b.postUntilStored(array(viewer("e1")))
	r.mu.Lock()
	defer r.mu.Unlock()
	if fails := r.of(viewerTopic).fails; fails != 0 || r.failing.Load() {
		t.Errorf("it took a record, and it is said that it has failed %d times in a row", fails)
	}
}
