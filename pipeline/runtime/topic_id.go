package runtime

import (
	"context"
	"fmt"
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
		// Not by kadm: it may answer from what this client knew before the topic was made.
		req := kmsg.NewPtrMetadataRequest()
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, topic)
		resp, err := cl.Request(ctx, req)
		if err != nil {
			return [16]byte{}, fmt.Errorf("ask Kafka for topic %s: %w", name, err)
		}
		meta := resp.(*kmsg.MetadataResponse)
		if len(meta.Topics) != 1 {
			return [16]byte{}, fmt.Errorf("ask Kafka for topic %s: answer of %d topics", name, len(meta.Topics))
		}
		t := &meta.Topics[0]
		err = kerr.ErrorForCode(t.ErrorCode)
		switch {
		case err == nil && t.TopicID != [16]byte{}:
			return t.TopicID, nil
		case err == nil:
			return [16]byte{}, fmt.Errorf("topic %s has no id: brokers give one since Apache Kafka 2.8", name)
		case !kerr.IsRetriable(err):
			return [16]byte{}, fmt.Errorf("topic %s: %w", name, err)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return [16]byte{}, fmt.Errorf("topic %s: %w", name, err)
		}
	}
}
