package runtime

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topicWait bounds how long a topic may take to show up after it was made: brokers learn of it one after the other.
const topicWait = 10 * time.Second

// TopicID is Kafka's identity of a topic: one that is deleted and made again has another. It is never zero: a wrong identity would begin an
// epoch of its own, and readers would lose sight of all rows before it.
func TopicID(ctx context.Context, cl *kgo.Client, name string) ([16]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, topicWait)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		ids, errs, err := topicIDs(ctx, cl, name)
		switch {
		case err != nil:
			return [16]byte{}, fmt.Errorf("ask Kafka for topic %s: %w", name, err)
		case errs[0] == nil && ids[0] != [16]byte{}:
			return ids[0], nil
		case errs[0] == nil:
			return [16]byte{}, fmt.Errorf("topic %s has no id: brokers give one since Apache Kafka 2.8", name)
		case !kerr.IsRetriable(errs[0]):
			return [16]byte{}, errs[0]
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return [16]byte{}, errs[0]
		}
	}
}

// topicIDs asks once for the ids of topics, with the broker's error of each. Not by kadm: it may answer from what this client knew before.
func topicIDs(ctx context.Context, cl *kgo.Client, names ...string) (ids [][16]byte, errs []error, err error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, topic)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, nil, err
	}
	ids, errs = make([][16]byte, len(names)), make([]error, len(names))
	for i, name := range names {
		at := slices.IndexFunc(resp.Topics, func(t kmsg.MetadataResponseTopic) bool { return t.Topic != nil && *t.Topic == name })
		if at < 0 {
			return nil, nil, fmt.Errorf("an answer without topic %s", name)
		}
		ids[i] = resp.Topics[at].TopicID
		if err := kerr.ErrorForCode(resp.Topics[at].ErrorCode); err != nil {
			errs[i] = fmt.Errorf("topic %s: %w", name, err)
		}
	}
	return ids, errs, nil
}
