package runtime

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// freezer stops a process at the network: a paused virtual machine, to all others.
type freezer struct {
	mu   sync.Mutex
	gate chan struct{} // closed when open
}

func newFreezer() *freezer {
	f := &freezer{gate: make(chan struct{})}
	close(f.gate)
	return f
}

func (f *freezer) freeze() {
	f.mu.Lock()
	f.gate = make(chan struct{})
	f.mu.Unlock()
}

func (f *freezer) thaw() {
	f.mu.Lock()
	close(f.gate)
	f.mu.Unlock()
}

func (f *freezer) pass() {
	f.mu.Lock()
	gate := f.gate
	f.mu.Unlock()
	<-gate
}

func (f *freezer) dial(ctx context.Context, network, host string) (net.Conn, error) {
	f.pass()
	c, err := (&net.Dialer{}).DialContext(ctx, network, host)
	return frozenConn{c, f}, err
}

type frozenConn struct {
	net.Conn
	f *freezer
}

func (c frozenConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.f.pass()
	return n, err
}

func (c frozenConn) Write(p []byte) (int, error) {
	c.f.pass()
	return c.Conn.Write(p)
}

// A paused process wakes up after another has taken its partitions: it must not commit, and what it writes to the sink must change nothing.
func TestZombieIsFenced(t *testing.T) {
	for protocol, brokersAssign := range groupProtocols {
		t.Run(protocol, func(t *testing.T) { zombieIsFenced(t, brokersAssign) })
	}
}

var groupProtocols = map[string]bool{"classic": false, "consumer": true}

func zombieIsFenced(t *testing.T, brokersAssign bool) {
	w := newWorld(t)
	f := newFreezer()
	zombie := w.config()
	zombie.BrokersAssign = brokersAssign
	zombie.KafkaOpts = []kgo.Opt{kgo.Dialer(f.dial)}
	zombie.SessionTimeout = 500 * time.Millisecond
	zombie.StopTimeout = 500 * time.Millisecond
	a := w.start(zombie)
	w.send(1000)
	w.drain(a)

	f.freeze()
	thaw := sync.OnceFunc(f.thaw)
	t.Cleanup(thaw)
	w.send(1000) // a has these neither applied nor, if it had, checkpointed
	other := w.config()
	other.BrokersAssign = brokersAssign
	b := w.start(other)
	w.drain(b)
	w.check()
	thaw()
	w.send(1000)
	eventually(t, "both own partitions again", func() (bool, string) {
		w.send(20)
		return len(a.Watermarks()) == testPart/2 && len(b.Watermarks()) == testPart/2, fmt.Sprint(len(a.Watermarks()), len(b.Watermarks()))
	})
	w.drain(a, b)
	w.check()
	a.stop()
	b.stop()
	w.checkChangelog()
}

// checkChangelog replays every committed prefix of the changelog: at each offset record, the counts before it must be those of the log.
func (w *world) checkChangelog() {
	w.t.Helper()
	log := w.read(testTopic)
	for p, recs := range w.read(testChangelog) {
		counts, applied, at := map[string]int64{}, map[string]int64{}, int64(0)
		for _, rec := range recs {
			key := string(rec.Key)
			if key == fenceKey || key == topicKey || key == storeKey {
				continue
			}
			n, _ := binary.Varint(rec.Value)
			if key != "offset" {
				counts[strings.TrimPrefix(key, "k")] = n
				continue
			}
			if n < at {
				w.t.Fatalf("partition %d: the changelog goes back from offset %d to %d: a zombie committed", p, at, n)
			}
			for ; at < n; at++ {
				applied[string(log[p][at].Value)]++
			}
			if !maps.Equal(counts, applied) {
				w.t.Fatalf("partition %d: the state at offset %d is not that of the log", p, n)
			}
		}
	}
}

// Taking over the transactional id is what fences: the old owner's next checkpoint fails, and as the group still counts on it, it
// restores and goes on.
func TestFencedOwnerRestores(t *testing.T) {
	w := newWorld(t)
	a := w.start(w.config())
	w.send(400)
	w.drain(a)
	thief, err := a.openChangelog(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer thief.close()
	w.send(400)
	w.drain(a)
	eventually(t, "the owner took its id back", func() (bool, string) {
		_, err := thief.commit(t.Context(), thief.record([]byte("kzombie"), []byte{2}))
		if err != nil {
			return true, ""
		}
		return false, "the thief still commits"
	})
	w.send(400)
	w.drain(a)
	w.checkSink()
	a.stop()
}

// checkSink is check without the rows' history: the thief's record is in the counts of nothing.
func (w *world) checkSink() {
	w.t.Helper()
	got := w.sink.totals()
	delete(got, "zombie")
	if !maps.Equal(got, w.truth) {
		w.t.Fatalf("sink holds\n%v\nwant\n%v", got, w.truth)
	}
}

// checkOutput: what the next hop keeps, dropping by provenance what is not above what it has seen, is the log in its order, without a hole.
func (w *world) checkOutput() {
	w.t.Helper()
	log := w.read(testTopic)
	for p, recs := range w.read(testEnriched) {
		next := int64(0)
		for _, rec := range recs {
			head, key, _ := bytes.Cut(rec.Value, []byte(":"))
			var at int64
			if _, err := fmt.Sscan(string(head), &at); err != nil {
				w.t.Fatal(err)
			}
			switch {
			case at > next:
				w.t.Fatalf("output partition %d: offset %d comes after %d", p, at, next-1)
			case string(log[p][at].Value) != string(key):
				w.t.Fatalf("output partition %d: %q is not what the log has at %d", p, rec.Value, at)
			case at == next:
				next++
			}
		}
		if next != int64(len(log[p])) {
			w.t.Fatalf("output partition %d ends at %d of %d", p, next, len(log[p]))
		}
	}
}

func TestOutputHasNoHoles(t *testing.T) {
	w := newWorld(t)
	cfg := w.config()
	cfg.Sink = nil
	cfg.OutputTopic = testEnriched
	for range 4 {
		w.send(500)
		r := w.start(cfg)
		eventually(t, "some applied", func() (bool, string) {
			n := int64(0)
			for _, o := range r.Watermarks() {
				n += o
			}
			return n > int64(w.sent-400), ""
		})
		r.crash()
	}
	r := w.start(cfg)
	w.drain(r)
	r.stop()
	w.checkOutput()
	w.checkChangelog()
}

// No checkpoint passes output that the next hop has not acknowledged.
func TestCheckpointWaitsForTheNextHop(t *testing.T) {
	w := newWorld(t)
	hold := make(chan struct{})
	w.cluster.KeepControl()
	refused := 0
	w.cluster.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		p := req.(*kmsg.ProduceRequest)
		select {
		case <-hold:
			return nil, nil, false
		default:
		}
		info := w.cluster.TopicInfo(testEnriched)
		if len(p.Topics) == 0 || info == nil || p.Topics[0].Topic != testEnriched && p.Topics[0].TopicID != info.TopicID {
			return nil, nil, false
		}
		refused++
		resp := p.ResponseKind().(*kmsg.ProduceResponse)
		for _, rt := range p.Topics {
			st := kmsg.NewProduceResponseTopic()
			st.Topic, st.TopicID = rt.Topic, rt.TopicID
			for _, rp := range rt.Partitions {
				sp := kmsg.NewProduceResponseTopicPartition()
				sp.Partition, sp.ErrorCode = rp.Partition, kerr.NotEnoughReplicas.Code
				st.Partitions = append(st.Partitions, sp)
			}
			resp.Topics = append(resp.Topics, st)
		}
		return resp, nil, true
	})
	cfg := w.config()
	cfg.Sink = nil
	cfg.OutputTopic = testEnriched
	cfg.StopTimeout = 200 * time.Millisecond
	w.send(400)
	r := w.start(cfg)
	eventually(t, "all applied", func() (bool, string) {
		n := int64(0)
		for _, o := range r.Watermarks() {
			n += o
		}
		return n == 400, ""
	})
	if ok, why, err := r.Drained(t.Context()); ok || err != nil || !strings.Contains(why, "not acknowledged") {
		t.Errorf("Drained() = %v, %q, %v", ok, why, err)
	}
	r.stop() // tries its last checkpoint, and gives up
	for p, recs := range w.read(testChangelog) {
		for _, rec := range recs {
			if string(rec.Key) != fenceKey {
				t.Fatalf("partition %d: a checkpoint was committed while its output was not acknowledged", p)
			}
		}
	}
	close(hold)
	r = w.start(cfg)
	w.drain(r)
	r.stop()
	w.checkOutput()
	w.checkChangelog()
}
