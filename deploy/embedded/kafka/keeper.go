package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// sweepEvery is how often records go whose time is over, as kfake itself would do it.
	sweepEvery = time.Hour
	// firstSweep after a start is early: who runs a broker for less than an hour at a time does not keep records for ever.
	firstSweep   = 5 * time.Minute
	sweepTimeout = 5 * time.Minute
	// never is, as milliseconds, a hundred years: kfake's own sweeps would take records before the offsets are written down.
	never = "3153600000000"
)

// keeper writes offsets down before records go, by requests or because their time is over.
//
// All that takes records goes through one control of kfake's, which no other request runs beside: what is written down is still the end when the
// records go. Else those that come in between could be taken as well (a replay's are old from the start), and their offsets used again.
type keeper struct {
	cluster *kfake.Cluster
	dir     string
	addr    string
	failed  func(error)
	stop    context.CancelFunc
	stopped chan struct{}

	mu      sync.Mutex // held while records go
	written offsets
	closed  bool
}

// keep begins to keep the offsets of a cluster. known is from mend: a start that kfake has lost is restored.
func keep(cluster *kfake.Cluster, dir, addr string, known offsets, every time.Duration, failed func(error)) (*keeper, error) {
	ctx, stop := context.WithCancel(context.Background())
	k := &keeper{cluster: cluster, dir: dir, addr: addr, failed: failed, stop: stop, stopped: make(chan struct{})}
	k.cluster.ControlKey(int16(kmsg.DeleteRecords), k.deleteRecords)
	if err := k.restoreStarts(known); err != nil {
		stop()
		return nil, err
	}
	go k.run(ctx, every)
	return k, nil
}

// restoreStarts deletes again what was deleted: after a kill, kfake finds it in the segments.
func (k *keeper) restoreStarts(known offsets) error {
	topics, err := readTopics(k.dir)
	if err != nil {
		return err
	}
	for _, t := range topics {
		for _, p := range k.cluster.PartitionInfos(t.Name) {
			start := known[partitionKey(t.ID, p.Partition)].Start
			if start <= p.LogStartOffset || start > p.HighWatermark {
				continue
			}
			if err := k.cluster.DeleteRecords(t.Name, p.Partition, start); err != nil {
				return fmt.Errorf("kafka: offsets of %s/%d: %w", t.Name, p.Partition, err)
			}
		}
	}
	return nil
}

func (k *keeper) run(ctx context.Context, every time.Duration) {
	defer close(k.stopped)
	next := time.NewTimer(min(firstSweep, every))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
			_ = k.sweep(ctx) // the control has told it; the next one comes
			next.Reset(every)
		}
	}
}

// close returns when no records go any more: kfake is to write down what stays.
func (k *keeper) close() {
	k.stop()
	<-k.stopped
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
}

// sweep takes the records whose time is over, and compacts. It asks for that as a client, with a DeleteRecords that names nothing, to be in the
// control.
func (k *keeper) sweep(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.addr))
	if err != nil {
		return fmt.Errorf("kafka: retention: %w", err)
	}
	defer client.Close()
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = int32(sweepTimeout.Milliseconds())
	if _, err := client.SeedBrokers()[0].Request(ctx, req); err != nil {
		return fmt.Errorf("kafka: retention: %w", err)
	}
	return nil
}

// deleteRecords is the control. Records whose offsets cannot be written down stay.
func (k *keeper) deleteRecords(r kmsg.Request) (kmsg.Response, error, bool) { // kfake's signature
	k.cluster.KeepControl()
	k.mu.Lock()
	defer k.mu.Unlock()
	req := r.(*kmsg.DeleteRecordsRequest)
	err := k.writeDown(req)
	if err == nil && len(req.Topics) == 0 {
		k.cluster.Compact() // and retention
		err = k.writeDown(req)
	}
	if err == nil {
		return nil, nil, false
	}
	k.failed(err)
	if len(req.Topics) == 0 {
		return nil, err, true
	}
	return refusal(req), nil, true
}

var errClosing = errors.New("kafka: offsets: the broker ends")

// writeDown writes where all partitions will begin, when a request has been served, and end.
func (k *keeper) writeDown(req *kmsg.DeleteRecordsRequest) error {
	if k.closed {
		return errClosing
	}
	topics, err := readTopics(k.dir)
	if err != nil {
		return err
	}
	now := offsets{}
	for _, t := range topics {
		asked := askedOf(req, t.Name)
		for _, p := range k.cluster.PartitionInfos(t.Name) {
			now[partitionKey(t.ID, p.Partition)] = after(p, asked)
		}
	}
	if maps.Equal(now, k.written) {
		return nil
	}
	if err := now.write(k.dir); err != nil {
		return err
	}
	k.written = now
	return nil
}

// askedOf are the offsets up to which a request wants the partitions of a topic emptied.
func askedOf(req *kmsg.DeleteRecordsRequest, topic string) map[int32]int64 {
	asked := map[int32]int64{}
	for _, t := range req.Topics {
		if t.Topic != topic {
			continue
		}
		for _, p := range t.Partitions {
			asked[p.Partition] = p.Offset
		}
	}
	return asked
}

// after is a partition's span after what was asked. kfake refuses what lies beyond its ends.
func after(p *kfake.PartitionInfo, asked map[int32]int64) span {
	s := span{p.LogStartOffset, p.HighWatermark}
	to, ok := asked[p.Partition]
	switch {
	case ok && to == -1: // all there are
		s.Start = s.End
	case ok && to > s.Start && to <= s.End:
		s.Start = to
	}
	return s
}

// refusal answers a request whose offsets could not be written down.
func refusal(req *kmsg.DeleteRecordsRequest) kmsg.Response {
	resp := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	for _, t := range req.Topics {
		out := kmsg.NewDeleteRecordsResponseTopic()
		out.Topic = t.Topic
		for _, p := range t.Partitions {
			part := kmsg.NewDeleteRecordsResponseTopicPartition()
			part.Partition, part.ErrorCode = p.Partition, kerr.KafkaStorageError.Code
			out.Partitions = append(out.Partitions, part)
		}
		resp.Topics = append(resp.Topics, out)
	}
	return resp
}
