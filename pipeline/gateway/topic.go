package gateway

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topicError says of which topic it is; one batch may go to several.
type topicError struct {
	topic string
	err   error
}

func (e *topicError) Unwrap() error { return e.err }

func (e *topicError) Error() string {
	text := e.topic + ": " + strings.TrimSuffix(e.err.Error(), ".") // Kafka's texts are sentences
	if errors.Is(e.err, kerr.UnknownTopicOrPartition) {
		text += " (`livemeter schema apply`, or a start of a service, makes it)"
	}
	return text
}

// ofTopic leaves the end of a batch's time as it is: that is of no topic.
func ofTopic(topic string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &topicError{topic, err}
}

// renewal makes the client load a topic anew that was deleted and made again. By itself it never does: it stays with the id that it saw first, and
// fails everything for the topic with UNKNOWN_TOPIC_ID.
//
// What waits for the topic just then fails, and is answered 503 as before.
type renewal struct {
	purge func(topics ...string)                                           // of the client
	ask   func(ctx context.Context, topic string) (id [16]byte, err error) // Kafka, for the topic's present id

	failing atomic.Bool // some topic fails: what is taken is looked at
	mu      sync.Mutex
	topics  map[string]*renewed
}

// renewed is of one topic.
type renewed struct {
	running bool
	last    time.Time // when it was purged, last
	id      [16]byte  // that the client knows, as far as is known; zero where nothing is
	fails   int       // moments in a row at which it failed
	at      time.Time // the last of them
}

// failed takes the error of a record that was handed to the client then. It does not wait: it is called from the client's promises, and purging
// waits for the client's metadata loop.
//
// A record that was handed over before the last purge says nothing about the topic as it is since, and a broker that has not caught up says the same of one
// that is as it was. To purge for those would do harm: sequence numbers would begin again at 0 in a topic that has records with those already, and Kafka
// acknowledges such a repetition without storing it.
func (r *renewal) failed(topic string, handed time.Time, err error) {
	if !errors.Is(err, kerr.UnknownTopicID) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t, now := r.of(topic), time.Now()
	if !handed.After(t.last) {
		return
	}
	if t.fails == 0 || now.Sub(t.at) >= failsApart {
		t.fails, t.at = t.fails+1, now
		r.failing.Store(true)
	}
	if t.running {
		return
	}
	t.running = true
	go r.renew(topic, t)
}

// took: a record of the topic was acknowledged, so the client knows its id. It is called for each: while nothing fails it costs nothing.
func (r *renewal) took(topic string) {
	if !r.failing.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(topic).fails = 0
	for _, t := range r.topics {
		if t.fails > 0 {
			return
		}
	}
	r.failing.Store(false)
}

// of is the topic's entry; r.mu is held.
func (r *renewal) of(topic string) *renewed {
	t := r.topics[topic]
	if t == nil {
		t = &renewed{}
		if r.topics == nil {
			r.topics = map[string]*renewed{}
		}
		r.topics[topic] = t
	}
	return t
}

const askWithin = 5 * time.Second // bounds a question for a topic's id

// A topic that fails at so many moments so far apart, half a minute at least, and takes nothing in between is loaded anew, whatever id was told here: the client
// may know another. No broker that is catching up fails for so long; one that does it now and then fails at one moment each time, however much fails in it.
// Moments may be any time apart: some topics have a record now and then.
const (
	failsOften = 4
	failsApart = 10 * time.Second
)

func (r *renewal) renew(topic string, t *renewed) {
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	id, err := r.ask(ctx, topic)
	r.mu.Lock()
	another := err == nil && (id != t.id || t.fails >= failsOften)
	r.mu.Unlock()
	if another {
		r.purge(topic)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t.running = false
	if another {
		t.id, t.last, t.fails = id, time.Now(), 0
	}
}

// learn asks which ids the topics have at the start, until it knows or ctx ends.
func (r *renewal) learn(ctx context.Context, topics []string) {
	again := time.NewTicker(askEvery)
	defer again.Stop()
	for _, topic := range topics {
		for {
			id, err := r.ask(ctx, topic)
			if err == nil {
				r.mu.Lock()
				if t := r.of(topic); t.id == ([16]byte{}) {
					t.id = id
				}
				r.mu.Unlock()
				break
			}
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
		}
	}
}

// topicID asks Kafka for a topic's id, whatever its client knew before.
func topicID(ctx context.Context, client *kgo.Client, topic string) (id [16]byte, err error) {
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(topic)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, client)
	switch {
	case err != nil:
		return id, err
	case len(resp.Topics) != 1:
		return id, errors.New("an answer of another topic")
	}
	return resp.Topics[0].TopicID, kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}
