package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// says wants readiness with these words, or with none that it is ready.
func (h *health) says(t *testing.T, when string, words ...string) {
	t.Helper()
	err := h.ready()
	if (err != nil) != (len(words) > 0) {
		t.Errorf("%s: %v", when, err)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: %v, want %q", when, err, w)
		}
	}
}

// While batches fail and none is acknowledged the gateway is not ready; once it gets none any more it is, so that one can come; and that one decides.
func TestNotReadyWhileBatchesFailAndNeverForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock jumps, nobody waits
		h, full := &health{}, errors.New("no space")
		h.says(t, "at the start")
		h.batch(time.Now(), full)
		h.says(t, "with one batch that failed just now")
		for range 60 {
			time.Sleep(time.Second) // simulated, as all in this test: the bubble's clock jumps, nobody waits
			h.batch(time.Now(), full)
			h.says(t, "while batches fail", "Kafka takes no records, for ", "no space")
		}
		time.Sleep(trialAfter - time.Millisecond) // simulated
		h.says(t, "shortly after the last", "for 65 s")
		time.Sleep(time.Millisecond) // simulated
		h.says(t, "without batches for a while")
		if o := h.failing(); o == nil || o.Silent || time.Since(o.Since) != 65*time.Second {
			t.Errorf("an outage that nobody saw the end of: %v", o)
		}
		h.batch(time.Now(), full)
		h.says(t, "when the one that tried has failed", "no space")
		h.batch(time.Now(), nil)
		h.says(t, "when one is acknowledged")
		if o := h.failing(); o != nil {
			t.Errorf("over, but: %v", o)
		}
		for range 20 { // a partition without a leader beside others
			time.Sleep(failGrace / 2) // simulated
			h.batch(time.Now(), full)
			h.says(t, "where every other batch fails")
			h.batch(time.Now(), nil)
		}
	})
}

// A Kafka that falls silent is told within two seconds, however long the question to it hangs, and with its first answer no more: also what failed
// meanwhile is forgiven. Who asks the gateway never waits.
func TestASilentKafkaIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hangs atomic.Bool
		h, back := &health{}, make(chan struct{})
		core, logs := observer.New(zap.InfoLevel)
		go h.watch(t.Context(), func(context.Context) error {
			if hangs.Load() {
				<-back // as Kafka's client: longer than its context
			}
			return nil
		})
		go h.report(t.Context(), zap.New(core))
		pass := func(d time.Duration) { time.Sleep(d); synctest.Wait() } // simulated: the bubble's clock jumps
		pass(10 * time.Second)
		h.says(t, "while Kafka answers")
		hangs.Store(true)
		pass(askEvery + answerWithin)
		h.says(t, "two seconds later", "gateway: Kafka does not answer, for 1 s")
		h.batch(time.Now(), errSlow)
		pass(58 * time.Second)
		h.batch(time.Now(), errSlow)
		h.says(t, "a minute later", "Kafka does not answer, for 59 s")
		h.batch(time.Now(), nil)
		h.says(t, "when a batch is acknowledged all the same")
		pass(answerWithin)
		h.says(t, "a while after it", "Kafka does not answer")
		h.batch(time.Now(), errSlow)
		pass(failGrace)
		hangs.Store(false)
		close(back)
		pass(0)
		h.says(t, "with the first answer")
		h.batch(time.Now().Add(-10*time.Second), errSlow)
		pass(failGrace)
		h.says(t, "when the end of a batch is told late")
		h.batch(time.Now(), errSlow)
		pass(failGrace)
		h.says(t, "when a new one fails", "Kafka takes no records")
		pass(askEvery)
		for words, want := range map[string]int{"no events can be taken": 2, "events can be taken again": 1} { // the silence, and the batch at the end
			if n := logs.FilterMessage(words).Len(); n != want {
				t.Errorf("%d lines of log that %s, want %d", n, words, want)
			}
		}
	})
}

// What came instead of an answer is told at once, with its reason, and since when.
func TestAKafkaThatIsAwayIsToldWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &health{}
		ctx, stop := context.WithCancel(t.Context())
		var away atomic.Bool
		away.Store(true)
		go h.watch(ctx, func(context.Context) error {
			if away.Load() {
				return errors.New("connection refused")
			}
			return nil
		})
		synctest.Wait()
		h.says(t, "at once", "Kafka does not answer, for 0 s: connection refused")
		time.Sleep(30 * time.Second) // simulated, too
		synctest.Wait()
		h.says(t, "later", "Kafka does not answer, for 30 s: connection refused")
		away.Store(false)
		time.Sleep(askEvery) // simulated
		synctest.Wait()
		h.says(t, "back")
		stop()
		synctest.Wait()
		h.says(t, "a question that was ended is no silence")
	})
}

// A Kafka that answers and takes no records, as on a full disk: every batch is a 503, and so is /readyz until one is taken.
func TestReadinessFollowsTheBatches(t *testing.T) {
	b := newBench(t, nil)
	ready := func(want int, words string) {
		t.Helper()
		end := time.Now().Add(20 * time.Second)
		for again := time.NewTicker(failGrace / 20); time.Now().Before(end); <-again.C {
			resp := b.do(request{method: http.MethodGet, path: readyPath})
			if resp.StatusCode == want && strings.Contains(text(resp), words) {
				return
			}
		}
		t.Fatalf("/readyz never says %d %s", want, words)
	}
	ready(200, "true")
	b.kafka.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.UnknownServerError})
	b.post(array(viewer("e1")), 503)
	ready(503, "Kafka takes no records")
	b.post(array(viewer("e2")), 200)
	wantStatus(t, b.do(request{method: http.MethodGet, path: readyPath}), 200)
}
