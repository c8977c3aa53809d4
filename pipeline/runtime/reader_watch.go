package runtime

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// How often a reader looks at itself, and how soon Kafka is to answer a question then.
const (
	lookEvery    = time.Second
	answerWithin = time.Second
)

// silentError: Kafka does not answer, for a reason that is nil where its time was over.
type silentError struct{ err error }

func (e *silentError) Error() string {
	if e.err == nil {
		return "Kafka does not answer"
	}
	return "Kafka does not answer: " + e.err.Error()
}

func (e *silentError) Unwrap() error { return e.err }

// watchKafka asks Kafka while this process is in no group: the group's client tells why only when its requests have timed out, which takes it tens of seconds.
// While all is read, what ended partitions before is over.
func (r *Reader) watchKafka(ctx context.Context, cl *kgo.Client) {
	for pause(ctx, nil, lookEvery) {
		if r.member() != nil {
			r.askKafka(ctx, cl)
		} else if r.reading() == nil {
			r.ending.works()
			r.grouped.works()
		}
	}
}

// askKafka may outlast its time limit: Kafka's client does not give up its first question on a connection.
func (r *Reader) askKafka(ctx context.Context, cl *kgo.Client) {
	limited, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	silent := time.AfterFunc(answerWithin, func() { r.heard(&silentError{}) })
	err := cl.Ping(limited)
	silent.Stop()
	switch {
	case err == nil || ctx.Err() != nil:
		r.heard(nil)
	case limited.Err() != nil:
		r.heard(&silentError{})
	default:
		r.heard(&silentError{err})
	}
}

// heard takes what became of a question while this process was in no group.
func (r *Reader) heard(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if told := (*silentError)(nil); !r.joined && (err != nil || errors.As(r.why, &told)) {
		r.why = err
	}
}
