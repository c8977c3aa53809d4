package runtime

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestRefusedCommitNamesThePartition(t *testing.T) {
	of := func(codes ...int16) *kmsg.OffsetCommitResponse {
		topic := kmsg.NewOffsetCommitResponseTopic()
		for i, code := range codes {
			p := kmsg.NewOffsetCommitResponseTopicPartition()
			p.Partition, p.ErrorCode = int32(i), code
			topic.Partitions = append(topic.Partitions, p)
		}
		return &kmsg.OffsetCommitResponse{Topics: []kmsg.OffsetCommitResponseTopic{topic}}
	}
	if err := refusedCommit(of(0, 0)); err != nil {
		t.Error(err)
	}
	if err := refusedCommit(of(0, kerr.IllegalGeneration.Code)); err == nil || !strings.Contains(err.Error(), "partition 1: ILLEGAL_GENERATION") {
		t.Errorf("%v", err)
	}
}
