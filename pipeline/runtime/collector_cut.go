package runtime

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/pipeline/eventlog"
)

// A partition that was cut off, by an unclean leader election or with a broker's disk, gives its offsets to other records. What shows it: the epoch of a record
// that was read ended before it, which its leader knows however long the log is by now; or the log ends before it. The group's commits carry epochs, which the
// client asks about; what was read and is not committed yet a process remembers from session to session, and asks itself.

// collectorMemory outlives sessions.
type collectorMemory struct {
	cut    map[eventlog.SourceID]*collectorCutOffError // sources that were found cut off; not written while a session lives
	poison map[collectorPlace]bool                     // records that the stage panics over; the session's goroutine has it

	mu   sync.Mutex
	read map[eventlog.SourceID]kgo.EpochOffset // how far they were read, with the epoch of the record before, -1 where it is not known
}

func newCollectorMemory() *collectorMemory {
	return &collectorMemory{cut: map[eventlog.SourceID]*collectorCutOffError{}, poison: map[collectorPlace]bool{}, read: map[eventlog.SourceID]kgo.EpochOffset{}}
}

// note remembers how far a source was sent that is given away, or whose session ends: what merely waited can be taken for no repetition.
func (m *collectorMemory) note(src *collectorSource) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if old, ok := m.read[src.id]; !ok || src.flying > old.Offset {
		m.read[src.id] = src.position(src.flying)
	}
}

func (m *collectorMemory) of(id eventlog.SourceID) kgo.EpochOffset {
	m.mu.Lock()
	defer m.mu.Unlock()
	if read, ok := m.read[id]; ok {
		return read
	}
	return kgo.EpochOffset{Epoch: -1}
}

// collectorLossError: the client was told of a loss. What was taken is finished and committed before the session ends: so whoever goes on, another process too,
// asks for it by its epoch.
type collectorLossError struct{ error }

func (e collectorLossError) Unwrap() error { return e.error }

// collectorCutOffError: a partition ends before what was read of it. New records get offsets that were counted before.
type collectorCutOffError struct {
	source eventlog.SourceID
	doubt  bool // one answer says so, of a leader that may be none any more
	text   string
}

func (e *collectorCutOffError) Error() string { return e.text }

func (f *collectorFeed) cutOff(partition int32, end, read int64) *collectorCutOffError {
	return &collectorCutOffError{source: f.source(partition),
		text: fmt.Sprintf("%[1]s/%[2]d ended at offset %[3]d, and the records before %[4]d were read: its log was cut off, by an unclean leader election or with a broker's disk. "+
			"What comes at offsets that were counted already could not be told from a repetition, so nothing is read. Copy what it holds into a topic made again under its name, "+
			"or, to give up what comes before offset %[4]d, stop the collectors and set the offset of group %[5]s to %[3]d", f.name, partition, end, read, f.group)}
}

// whole is why a partition cannot be read on: it does not have any more what was read of it. ended is where the epoch ended to which this process has read it,
// end its last stable offset.
func (f *collectorFeed) whole(ctx context.Context, partition int32, committed, ended, end int64) error {
	id := f.source(partition)
	if cut := f.s.memory.cut[id]; cut != nil {
		return cut
	}
	read := f.s.memory.of(id)
	if ended >= 0 && ended < read.Offset {
		return f.cutOff(partition, ended, read.Offset)
	}
	if reached := max(committed, read.Offset); reached > end {
		return f.behindTheEnd(ctx, partition, reached)
	}
	return nil
}

func (f *collectorFeed) source(partition int32) eventlog.SourceID {
	return eventlog.SourceID{TopicID: f.s.topicIDs[f.topic], Partition: partition}
}

// epochEnds are where the leader epochs ended to which this process has read partitions, or their logs end where they have not; none where the leader does not
// know an epoch, or nobody does.
func (f *collectorFeed) epochEnds(ctx context.Context, parts map[int32]kgo.Offset) (map[int32]int64, error) {
	asked := map[int32]int32{}
	for p := range parts {
		if read := f.s.memory.of(f.source(p)); read.Epoch >= 0 {
			asked[p] = read.Epoch
		}
	}
	ends := map[int32]int64{}
	if len(asked) == 0 {
		return ends, nil
	}
	answer, err := f.s.adm.OffsetForLeaderEpoch(ctx, kadm.OffsetForLeaderEpochRequest{f.name: asked})
	for p := range asked {
		a, ok := answer[f.name][p]
		if why := errors.Join(a.Err, err, ctx.Err()); kerr.IsRetriable(a.Err) || ctx.Err() != nil || !ok && err != nil && !errors.Is(err, kerr.UnsupportedVersion) {
			return nil, fmt.Errorf("where an epoch of %s/%d ended is not to be had: %w", f.name, p, why)
		}
		if ok && a.Err == nil && a.EndOffset >= 0 {
			ends[p] = a.EndOffset
		}
	}
	return ends, nil
}

// behindTheEnd is why reading cannot go on at an offset behind the last stable one, nil where it can: who set it by hand may have taken the high watermark.
func (f *collectorFeed) behindTheEnd(ctx context.Context, partition int32, read int64) error {
	highs, err := f.s.adm.ListEndOffsets(ctx, f.name)
	high, ok := highs.Lookup(f.name, partition)
	if err = errors.Join(err, high.Err); err != nil || !ok {
		return fmt.Errorf("high watermark of %s/%d is not to be had: %w", f.name, partition, cmp.Or(err, errors.New("none in the answer")))
	}
	if read <= high.Offset {
		return nil
	}
	cut := f.cutOff(partition, high.Offset, read)
	cut.doubt = true
	return cut
}
