package kafka_test

import (
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/deploy/embedded/engines"
	"github.com/livemeter/livemeter/deploy/embedded/kafka"
)

// Records have three replicas, and one of three brokers may be killed: what is written then is acknowledged, and all is read when it is back.
func TestAClusterLivesWithoutOneOfItsBrokers(t *testing.T) {
	lib, err := engines.Kafka(t.Context(), func(m string) { t.Log(m) })
	if err != nil {
		t.Fatal(err)
	}
	cluster, err := kafka.NewCluster(t.Context(), lib, t.TempDir(), freeNodes(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	brokers, err := cluster.StartAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, b := range brokers {
			b.Kill()
		}
	})
	c, err := kgo.NewClient(kgo.SeedBrokers(cluster.Brokers()...), kgo.DefaultProduceTopic("orders"), kgo.ConsumeTopics("orders"), kgo.ConsumerGroup("g"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if _, err := kadm.NewClient(c).CreateTopic(t.Context(), 3, -1, nil, "orders"); err != nil {
		t.Fatal(err)
	}
	topics, err := kadm.NewClient(c).ListTopics(t.Context(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range topics["orders"].Partitions {
		if len(p.Replicas) != 3 {
			t.Errorf("partition %d has replicas %v", p.Partition, p.Replicas)
		}
	}
	write := func(value string) {
		t.Helper()
		for p := range int32(3) {
			if err := c.ProduceSync(t.Context(), &kgo.Record{Partition: p, Value: []byte(value)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("all")
	brokers[0].Kill()
	write("without the first")
	if brokers[0], err = cluster.Start(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for n := 0; n < 6; {
		for it := c.PollFetches(t.Context()).RecordIter(); !it.Done(); n++ {
			got[string(it.Next().Value)]++
		}
	}
	if len(got) != 2 || got["all"] != 3 || got["without the first"] != 3 {
		t.Errorf("read %v", got)
	}
}

// freeNodes are addresses that nobody listens on, below the ports of outgoing connections.
func freeNodes(t *testing.T, n int) (nodes []kafka.Node) {
	t.Helper()
	var addrs []string
	for port := 21000; len(addrs) < 2*n; port++ {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		l, err := net.Listen("tcp", addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		addrs = append(addrs, addr)
	}
	for i := range n {
		nodes = append(nodes, kafka.Node{Client: addrs[2*i], Controller: addrs[2*i+1]})
	}
	return nodes
}
