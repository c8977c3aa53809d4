package runtime

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A panic that does not come again ends one life, and nothing is skipped.
func TestPanicThatDoesNotComeAgain(t *testing.T) {
	w := newWorld(t)
	w.send(500)
	left := atomic.Int32{}
	left.Store(1)
	cfg := w.config()
	cfg.NewTask = func(p int32, out Output) Task {
		return newCounter(p, out, func(offset int64, _ string) error {
			if p == 1 && offset == 100 && left.Add(-1) >= 0 {
				panic("once")
			}
			return nil
		})
	}
	r := w.start(cfg)
	w.drain(r)
	w.check()
	if left.Load() >= 0 {
		t.Error("it never panicked")
	}
}

// A stage that panics over every record says so at last, instead of beginning again for ever.
func TestPanicOverEveryRecord(t *testing.T) {
	w := newWorld(t)
	w.send(40)
	cfg := w.config()
	cfg.CheckpointEvery, cfg.MaxSkips = time.Hour, 5
	cfg.NewTask = func(p int32, out Output) Task { return &stubborn{newCounter(p, out, nil)} }
	r := w.start(cfg)
	<-r.done
	if r.err == nil || !strings.Contains(r.err.Error(), "panicked over 6 records") {
		t.Errorf("run: %v", r.err)
	}
}

// stubborn panics over each record until it is applied entry by entry.
type stubborn struct{ *counter }

func (s *stubborn) Apply(offset int64, value []byte) error {
	if s.part == 0 {
		panic("poison")
	}
	return s.counter.Apply(offset, value)
}

func (s *stubborn) Isolate(offset int64, value []byte) (*Poison, error) {
	return nil, s.counter.Apply(offset, value)
}

func TestSkipsRoundTrip(t *testing.T) {
	for _, list := range [][]skip{{}, {{0, 0}}, {{7, 3}, {1 << 40, 1 << 20}}} {
		got, err := unpackSkips(packSkips(list))
		if err != nil || !slices.Equal(got, list) {
			t.Errorf("%v, %v, want %v", got, err, list)
		}
	}
	if _, err := unpackSkips([]byte{14}); err == nil {
		t.Error("a list cut short is taken")
	}
}

// A dead letter that Kafka would not take is cut, and one that it refuses for good is told: neither keeps the rest from flowing.
func TestDeadLetterOfPoisonKeepsNothingBack(t *testing.T) {
	for name, refused := range map[string]bool{"of a large key": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for _, topic := range []string{"raw.viewer", TopicRejected} {
				if err := w.cluster.CreateTopic(topic, 1, nil); err != nil {
					t.Fatal(err)
				}
			}
			raw := &kgo.Record{Topic: "raw.viewer", Key: []byte(strings.Repeat("k", 990_000)), Value: []byte("{}")}
			if err := w.cl.ProduceSync(t.Context(), raw).FirstErr(); err != nil {
				t.Fatal(err)
			}
			id, err := TopicID(t.Context(), w.cl, "raw.viewer")
			if err != nil {
				t.Fatal(err)
			}
			if refused {
				w.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: TopicRejected, Err: kerr.TopicAuthorizationFailed, Count: -1})
			}
			w.send(400)
			cfg := w.config()
			cfg.RejectedTopic = TopicRejected
			cfg.NewTask = func(p int32, out Output) Task {
				return &poisoned{counter: newCounter(p, out, nil), source: eventlog.SourceID{TopicID: id}}
			}
			r := w.start(cfg)
			w.drain(r)
			letters := w.read(TopicRejected)[0]
			if refused != (len(letters) == 0) {
				t.Fatalf("%d dead letters", len(letters))
			}
			if !refused && (letters[0].Key != nil || string(letters[0].Value) != "{}" || headerOf(letters[0], "cut_key_bytes") != "990000") {
				t.Errorf("key of %d bytes, %v", len(letters[0].Key), letters[0].Headers)
			}
		})
	}
}

func headerOf(rec *kgo.Record, key string) string {
	for _, h := range rec.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// poisoned panics over a record until it is told to skip it.
type poisoned struct {
	*counter
	source eventlog.SourceID
	skip   bool
}

func (s *poisoned) Apply(offset int64, value []byte) error {
	if s.part == 0 && offset == 7 && !s.skip {
		panic("poison")
	}
	return s.counter.Apply(offset, value)
}

func (s *poisoned) Isolate(offset int64, value []byte) (*Poison, error) {
	if s.skip {
		return nil, s.counter.Apply(offset, value)
	}
	return &Poison{Offset: offset, Source: s.source, Topic: "raw.viewer", Cause: errors.New("poison")}, nil
}

func (s *poisoned) Skip(int64, int) { s.skip = true }
