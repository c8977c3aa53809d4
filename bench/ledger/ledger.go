package ledger

import (
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the shop's zone must be there on a bare machine too
)

// shards bounds the memory of Finish: it holds the events of a few shards at a time, whatever the length of the run.
const shards = 32

// Options of a Ledger.
type Options struct {
	Dir  string // for temporary files; "" is the system's
	Zone string // of the 1 d window; "" is Asia/Shanghai
}

// Ledger collects raw records and computes the truth about them. Add may be called from several goroutines as long as the records of
// one source partition come in the order of their offsets.
type Ledger struct {
	zone *time.Location
	dir  string
	seed maphash.Seed

	mu      sync.Mutex
	shards  [shards]*spill
	topics  []topicInfo
	byName  map[string]uint32
	last    map[sourcePartition]int64
	records int64
	newest  int64 // receive time
	err     error
	done    bool
}

// topicInfo is a topic by its full name, and without prefix.
type topicInfo struct{ name, raw string }

type sourcePartition struct {
	topic     uint32
	partition int32
}

// New makes a ledger with its temporary directory; Finish or Close removes it.
func New(o Options) (*Ledger, error) {
	zone, err := time.LoadLocation(orDefault(o.Zone, "Asia/Shanghai"))
	if err != nil {
		return nil, fmt.Errorf("ledger: time zone %q: %w", o.Zone, err)
	}
	dir, err := os.MkdirTemp(o.Dir, "livemeter-ledger-")
	if err != nil {
		return nil, fmt.Errorf("ledger: no temporary directory in %q: %w", o.Dir, err)
	}
	return &Ledger{zone: zone, dir: dir, seed: maphash.MakeSeed(), byName: map[string]uint32{}, last: map[sourcePartition]int64{}}, nil
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

// Add takes one record as it was produced. offset may be −1 where it is unknown. key and value are not kept. All valid records of one
// viewer, buyer, cost or stock must have one key; Finish refuses a stream where they have not. An error is reported by Finish.
func (l *Ledger) Add(topic string, partition int32, offset int64, key, value []byte, timestampMS int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	if l.done {
		l.err = errors.New("ledger: Add after Finish")
		return
	}
	t := l.topic(topic)
	if l.err = l.inOrder(sourcePartition{t, partition}, offset); l.err != nil {
		return
	}
	i := maphash.Bytes(l.seed, key) % shards
	if l.shards[i] == nil {
		if l.shards[i], l.err = newSpill(l.dir, int(i)); l.err != nil {
			return
		}
	}
	l.records++
	l.newest = max(l.newest, timestampMS)
	l.err = l.shards[i].write(t, partition, timestampMS, value)
}

func (l *Ledger) topic(name string) uint32 {
	id, ok := l.byName[name]
	if !ok {
		id = uint32(len(l.topics))
		l.byName[name] = id
		raw := name
		if i := strings.LastIndex(name, "raw."); i >= 0 {
			raw = name[i:]
		}
		l.topics = append(l.topics, topicInfo{name, raw})
	}
	return id
}

func (l *Ledger) inOrder(p sourcePartition, offset int64) error {
	if offset < 0 {
		return nil
	}
	if last, ok := l.last[p]; ok && offset <= last {
		return fmt.Errorf("ledger: %s partition %d: offset %d was added after offset %d; first copies can't be told from duplicates",
			l.topics[p.topic].name, p.partition, offset, last)
	}
	l.last[p] = offset
	return nil
}

// Records is how many were added so far.
func (l *Ledger) Records() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records
}

// Close removes the temporary files of a ledger that is not to be finished.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = true
	for _, s := range l.shards {
		if s != nil {
			s.file.Close()
		}
	}
	return os.RemoveAll(l.dir)
}

// ErrOrderUnknown: producers that do not key their records leave open in which order one person's came, and with it what is true.
var ErrOrderUnknown = errors.New("the order of some records is not known")

// Finish computes the truth. The ledger is closed afterwards.
func (l *Ledger) Finish() (*Truth, error) {
	defer l.Close()
	l.mu.Lock()
	l.done = true
	err, records, newest := l.err, l.records, l.newest
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	acc := &account{c: newCells(l.zone), seen: newSeen(), ofOrder: newSeen(), out: map[OutcomeKey]int64{}, numbers: map[CompletenessKey]Numbers{}, topics: l.topics}
	whose := map[owner]uint8{}
	for i, s := range l.readShards() {
		if s.err != nil {
			return nil, fmt.Errorf("ledger: temporary file %d: %w", i, s.err)
		}
		for who, events := range s.owners {
			if other, ok := whose[who]; ok {
				return nil, fmt.Errorf("ledger: %w: records of %s %q on %s have different keys (shards %d and %d)",
					ErrOrderUnknown, who.kind, who.id, who.platform, other, i)
			}
			whose[who] = uint8(i)
			acc.settle(who, events)
		}
		for k, n := range s.invalid {
			acc.out[k] += n
		}
	}
	acc.c.peaks()
	acc.c.net()
	return newTruth(acc, records, newest), nil
}

// readShards decodes shards in parallel and yields them one after the other.
func (l *Ledger) readShards() func(yield func(int, shard) bool) {
	return func(yield func(int, shard) bool) {
		results := make([]chan shard, shards)
		stop := make(chan struct{})
		free := make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))
		for i := range results {
			results[i] = make(chan shard, 1)
		}
		var wg sync.WaitGroup
		defer wg.Wait()
		defer close(stop)
		wg.Go(func() {
			for i := range results {
				select {
				case free <- struct{}{}:
				case <-stop:
					return
				}
				wg.Go(func() { results[i] <- readShard(l.shards[i], l.topics) })
			}
		})
		for i := range results {
			s := <-results[i]
			<-free
			if !yield(i, s) {
				return
			}
		}
	}
}
