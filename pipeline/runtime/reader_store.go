package runtime

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"go.uber.org/zap"
)

// The rows of a log are in one store: those that it has acknowledged are not sent again. Which one it is stands in the changelog, with the state, and that
// is what counts; and in the group's commits, where it is seen before a partition is taken from whoever has it.

// storeKey is the reader's own in a changelog, too: the id of the store that has the rows of the state.
const storeKey = "\x00store"

// storeValue is what stands there: the id, and up to which offset not that store has acknowledged, but one before it. See checkStored.
func (t *partition) storeValue() []byte { return binary.AppendVarint(t.r.cfg.StoreID[:], t.inherited) }

func splitStore(value []byte) (id []byte, inherited int64) {
	id = value[:min(len(value), 16)]
	inherited, _ = binary.Varint(value[len(id):])
	return id, inherited
}

// storeMark begins the metadata of a commit; the id in hexadecimal follows.
const storeMark = "store="

// OtherStoreError: another store than this one has acknowledged rows of the log.
type OtherStoreError struct {
	Group, Changelog string // of the reader
	Partition        int32
	Has, This        []byte // ids
}

func (e *OtherStoreError) Error() string {
	return fmt.Sprintf("rows of this log up to now (partition %[1]d, group %[2]s) were acknowledged by another database and are not sent to this one (uuid of the table epochs in system.tables: %[3]s there, %[4]s here). "+
		"A pipeline beside another one needs a kafka.prefix of its own. Where that database can be put back as it was last, do so. Where it is gone for good, or this one is its restored copy, "+
		"stop all processes of the group and start once with --clickhouse-take-over: that goes on from here, without what was counted before (who was there is not counted as a viewer or buyer of the present hour, day or session again), "+
		"or, when the group's changelog topic (%[5]s) was deleted before, counts again what the log still holds",
		e.Partition, e.Group, uuidText(e.Has), uuidText(e.This), e.Changelog)
}

// CheckStore compares a store with that of a group's commits, whose state is in a changelog: it is an *OtherStoreError where they differ, also where this one has no id yet. What the commits do
// not say, the group being new or its offsets expired, the changelog does later.
func CheckStore(ctx context.Context, adm *kadm.Client, group, changelog string, id [16]byte) error {
	stores, err := storesOf(ctx, adm, group)
	for partition, has := range stores {
		if has != string(id[:]) {
			return &OtherStoreError{group, changelog, partition, []byte(has), id[:]}
		}
	}
	return err
}

// storesOf are the ids of the stores in a group's commits, by partition.
func storesOf(ctx context.Context, adm *kadm.Client, group string) (map[int32]string, error) {
	marks, err := commitMarks(ctx, adm, group)
	if err != nil {
		return nil, err
	}
	stores := map[int32]string{}
	for partition, mark := range marks {
		if m, ok := parseStoreMark(mark); ok {
			stores[partition] = m.store
		}
	}
	return stores, nil
}

// markOfStore is what a commit says: the store that has what is before it, and, of dead letters, the id of their topic in hexadecimal.
type markOfStore struct{ store, topic string }

func parseStoreMark(mark string) (m markOfStore, ok bool) {
	text, ok := strings.CutPrefix(mark, storeMark)
	text, m.topic, _ = strings.Cut(text, topicMark)
	id, err := hex.DecodeString(text)
	m.store = string(id)
	return m, ok && err == nil
}

func storeOfTopic(store, topic [16]byte) string {
	return storeMark + hex.EncodeToString(store[:]) + topicMark + hex.EncodeToString(topic[:])
}

// storeMarked makes a commit say which store has what is before it.
func storeMarked(ctx context.Context, id [16]byte) context.Context {
	if id == [16]byte{} {
		return ctx
	}
	return withMark(ctx, storeMark+hex.EncodeToString(id[:]))
}

// sameStore refuses another store than the one that has a partition's rows, or tells that it takes its place.
func (r *Reader) sameStore(partition int32, has []byte) (taken bool, err error) {
	own := r.cfg.StoreID
	if own == [16]byte{} || has == nil || string(has) == string(own[:]) {
		return false, nil
	}
	if r.cfg.TakeStore {
		r.log.Warn("clickhouse.take_over: the rows up to now are in another database, those to come go to this one", zap.Int32("partition", partition),
			zap.String("other", uuidText(has)), zap.String("this", uuidText(own[:])))
		return true, nil
	}
	return false, fatal("%w", &OtherStoreError{r.cfg.Group, r.cfg.Changelog, partition, has, own[:]})
}

// OlderStoreError: the store has told less than it has acknowledged.
type OlderStoreError struct {
	Topic         string
	Partition     int32
	Stored, Acked int64 // offsets in the log of events
}

func (e *OlderStoreError) Error() string {
	return fmt.Sprintf("the database has rows of partition %d of %s up to offset %d of events, and has acknowledged them up to %d: it is an older copy, or has lost rows, which are not sent again. "+
		"Put it back as it was last. Where that is gone for good, stop all processes of the group and start once with --clickhouse-take-over: that goes on without them", e.Partition, e.Topic, e.Stored, e.Acked)
}

// storedAgain is how soon a store that has told too little is asked again.
const storedAgain = time.Second

// storedUpTo asks the store up to which offset it has a partition's rows, and waits a while for it to be want: a fatal *OlderStoreError if it stays below.
func (c *ReaderConfig) storedUpTo(ctx context.Context, partition int32, want int64) (offset int64, err error) {
	limit, cancel := context.WithTimeout(ctx, c.StoredTimeout)
	defer cancel()
	for older := error(nil); ; {
		if offset, err = c.Stored(limit, partition); err != nil {
			if older != nil && ctx.Err() == nil {
				return 0, older // the last answer that there was
			}
			return 0, err
		}
		if offset >= want {
			return offset, nil
		}
		older = fatal("%w", &OlderStoreError{c.Topic, partition, offset, want})
		if !pause(limit, nil, storedAgain) {
			return 0, cmp.Or(ctx.Err(), older)
		}
	}
}

// checkStored gives the offset up to which the store has a partition's rows, and refuses one that stays below what it has acknowledged. What another store
// had acknowledged before a take-over, or this one before it was taken as it is, is t.inherited: it is not asked for again.
func (t *partition) checkStored(ctx context.Context, taken bool) (offset int64, err error) {
	if t.r.cfg.Stored == nil {
		return 0, nil
	}
	acked := t.task.Stats().Acknowledged
	if taken {
		t.inherited = acked
	}
	want := t.owed(acked)
	if t.r.cfg.TakeStore {
		want = 0
	}
	offset, err = t.r.cfg.storedUpTo(ctx, t.s.id, want)
	if err == nil && offset < t.owed(acked) {
		t.inherited = acked
		t.r.log.Warn("clickhouse.take_over: rows of these offsets of events are in no database", zap.Int32("partition", t.s.id),
			zap.Int64("from", offset), zap.Int64("to", acked))
	}
	return offset, err
}

// owed is up to which offset the store must have rows that has acknowledged them up to acked.
func (t *partition) owed(acked int64) int64 {
	if acked <= t.inherited {
		return 0
	}
	return acked
}

// stillHas looks, after a write that failed and before the next one, whether the store is what it was: a server that comes back may have an older copy of
// the tables, and what is written next would hide it.
func (w *sinkWriter) stillHas(ctx context.Context) error {
	if !w.doubt || w.cfg.Stored == nil || w.lost != nil {
		return w.lost
	}
	w.mu.Lock()
	handles := slices.Collect(maps.Keys(w.handles))
	w.mu.Unlock()
	for _, h := range handles {
		if owed := h.owed.Load(); owed > 0 {
			if _, err := w.cfg.storedUpTo(ctx, h.partition, owed); err != nil {
				return err
			}
		}
	}
	w.doubt = false
	return nil
}

// watchStore ends the process when a commit of the group is of another store than its own: two that began at the same moment each took a part of the
// partitions, or another has taken over beside it. What was there when this one began to take over is its own to take, until it has. Each commit looks.
func (r *Reader) watchStore() {
	if r.cfg.StoreID == [16]byte{} {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	r.looks.Lock() // partitions commit side by side, and what an older look has seen is not to be judged after a newer one
	defer r.looks.Unlock()
	stores, err := storesOf(ctx, r.admin, r.cfg.Group)
	if err != nil {
		return // the next commit looks again
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for partition, has := range stores {
		switch has {
		case string(r.cfg.StoreID[:]):
			delete(r.before, partition)
		case r.before[partition]:
		default:
			r.fail(fmt.Errorf("another process has taken over: %w", &OtherStoreError{r.cfg.Group, r.cfg.Changelog, partition, []byte(has), r.cfg.StoreID[:]}))
		}
	}
}

// seeStores notes which other stores a process that takes over finds.
func (r *Reader) seeStores(ctx context.Context, adm *kadm.Client) (err error) {
	if r.cfg.TakeStore {
		r.before, err = storesOf(ctx, adm, r.cfg.Group)
		maps.DeleteFunc(r.before, func(_ int32, has string) bool { return has == string(r.cfg.StoreID[:]) })
	}
	return err
}

// takesFrom says whether this process began to take a partition over and the group's commits do not say yet that it has.
func (r *Reader) takesFrom(partition int32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.before[partition] != ""
}

// uuidText is an id as ClickHouse prints it, whatever was stored.
func uuidText(b []byte) string {
	id, err := uuid.FromBytes(b)
	if err != nil {
		return hex.EncodeToString(b)
	}
	return id.String()
}
