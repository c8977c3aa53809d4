package runtime

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A commit carries a mark, its metadata: what must be the same for whoever goes on from there.

// topicMark comes before the id of the topic: the offset of one that was deleted says nothing of another of its name.
const topicMark = " topic="

// withMark makes a commit carry metadata.
func withMark(ctx context.Context, mark string) context.Context {
	return kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for t := range req.Topics {
			for p := range req.Topics[t].Partitions {
				req.Topics[t].Partitions[p].Metadata = &mark
			}
		}
		return nil
	})
}

// commitMarks are those of a group's commits, none where nobody has committed. An answer that leaves a partition out could hide the one that differs: it is an error.
func commitMarks(ctx context.Context, adm *kadm.Client, group string) (map[int32]string, error) {
	offsets, err := adm.FetchOffsets(ctx, group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return nil, fmt.Errorf("offsets of group %s: %w", group, err)
	}
	marks := map[int32]string{}
	for _, o := range offsets.Sorted() {
		if errors.Is(o.Err, kerr.GroupIDNotFound) {
			continue
		}
		if o.Err != nil {
			return nil, fmt.Errorf("offsets of group %s: %w", group, o.Err)
		}
		marks[o.Partition] = o.Metadata
	}
	return marks, nil
}

// refusedCommit is the first partition's error in an answer.
func refusedCommit(resp *kmsg.OffsetCommitResponse) error {
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("partition %d: %w", p.Partition, err)
			}
		}
	}
	return nil
}
