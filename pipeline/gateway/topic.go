package gateway

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
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
	purge func(topics ...string) // of the client

	mu     sync.Mutex
	topics map[string]*renewed
}

// renewed is of one topic.
type renewed struct {
	running bool
	last    time.Time // when it was purged, last
}

// failed takes the error of a record that was handed to the client then. It does not wait: it is called from the client's promises, and purging
// waits for the client's metadata loop.
//
// A record that was handed over before the last purge says nothing about the topic as it is since. To purge again for it would do harm: sequence
// numbers would begin again at 0 in a topic that has records with those already, and Kafka acknowledges such a repetition without storing it.
func (r *renewal) failed(topic string, handed time.Time, err error) {
	if !errors.Is(err, kerr.UnknownTopicID) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.topics[topic]
	if t == nil {
		t = &renewed{}
		if r.topics == nil {
			r.topics = map[string]*renewed{}
		}
		r.topics[topic] = t
	}
	if t.running || !handed.After(t.last) {
		return
	}
	t.running = true
	go r.renew(topic, t)
}

func (r *renewal) renew(topic string, t *renewed) {
	r.purge(topic)
	r.mu.Lock()
	defer r.mu.Unlock()
	t.running, t.last = false, time.Now()
}
