package runtime

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"
)

// The rows of a log are in one store: those that it has acknowledged are not sent again. Which one it is stands in the changelog, with the state, and that
// is what counts; and in the group's commits, where it is seen before a partition is taken from whoever has it.

// storeKey is the reader's own in a changelog, too: the id of the store that has the rows of the state.
const storeKey = "\x00store"

// storeMark begins the metadata of a commit; the id in hexadecimal follows.
const storeMark = "store="

// checkStore compares the store with that of the commits. What it cannot know, the group being new or its offsets expired, the changelog does.
func (r *Reader) checkStore(ctx context.Context, adm *kadm.Client) error {
	if r.cfg.StoreID == [16]byte{} {
		return nil
	}
	offsets, err := adm.FetchOffsets(ctx, r.cfg.Group)
	if err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
		return fmt.Errorf("offsets of group %s: %w", r.cfg.Group, err)
	}
	for _, o := range offsets.Sorted() {
		if text, ok := strings.CutPrefix(o.Metadata, storeMark); ok && o.Err == nil && o.Topic == r.cfg.Topic {
			if id, err := hex.DecodeString(text); err == nil {
				if err := r.sameStore(o.Partition, id); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// markStore makes a commit say which store has the rows before it.
func (r *Reader) markStore(ctx context.Context) context.Context {
	if r.cfg.StoreID == [16]byte{} {
		return ctx
	}
	mark := storeMark + hex.EncodeToString(r.cfg.StoreID[:])
	return kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for t := range req.Topics {
			for p := range req.Topics[t].Partitions {
				req.Topics[t].Partitions[p].Metadata = &mark
			}
		}
		return nil
	})
}

// sameStore refuses another store than the one that has a partition's rows, or tells that it takes its place.
func (r *Reader) sameStore(partition int32, has []byte) error {
	own := r.cfg.StoreID
	if own == [16]byte{} || has == nil || string(has) == string(own[:]) {
		return nil
	}
	if r.cfg.TakeStore {
		r.log.Warn("clickhouse.take_over: the rows up to now are in another database, those to come go to this one", zap.Int32("partition", partition),
			zap.String("other", uuidText(has)), zap.String("this", uuidText(own[:])))
		return nil
	}
	return fatal("partition %d of %s: the rows of this log up to now were acknowledged by another database and are not sent to this one (uuid of the table epochs in system.tables: %s there, %s here). "+
		"A pipeline beside another one needs a kafka.prefix of its own. Where that database is gone for good, or this one is its restored copy, start once with --clickhouse-take-over: "+
		"that goes on from here, without what was counted before; when the topic %s was deleted first, it counts again what the log still holds",
		partition, r.cfg.Topic, uuidText(has), uuidText(own[:]), r.cfg.Changelog)
}

// uuidText is an id as ClickHouse prints it, whatever was stored.
func uuidText(b []byte) string {
	id, err := uuid.FromBytes(b)
	if err != nil {
		return hex.EncodeToString(b)
	}
	return id.String()
}
