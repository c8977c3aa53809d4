package kafka

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

// Cluster is several of Apache's brokers, each of them controller too, for tests that take some away: topics have three replicas, and a record is
// acknowledged when two have it.
type Cluster struct {
	nodes []layout
}

// Node is the addresses of one broker. They are its own for the life of the cluster, also while it is away: ports below those that the system gives to
// outgoing connections, one of which would else sit on them when it comes back.
type Node struct{ Client, Controller string }

// NewCluster lays out a cluster of new brokers below dir. It starts none.
func NewCluster(ctx context.Context, libDir, dir string, nodes []Node) (*Cluster, error) {
	java, err := engines.Java(ctx)
	if err != nil {
		return nil, err
	}
	if dir, err = absolute(dir); err != nil {
		return nil, err
	}
	var controllers []string
	for _, n := range nodes {
		controllers = append(controllers, n.Controller)
	}
	c, id := &Cluster{}, clusterID()
	for i, n := range nodes {
		c.nodes = append(c.nodes, layout{dir: filepath.Join(dir, fmt.Sprint("broker-", i+1)), addr: n.Client, jvm: shortLived(jvm(java, libDir)),
			member: &member{id: i + 1, cluster: id, controllers: controllers}})
	}
	return c, nil
}

// shortLived is for a JVM that starts often: it compiles once and quickly.
func shortLived(jvm []string) []string { return slices.Insert(jvm, 1, "-XX:TieredStopAtLevel=1") }

// Start starts broker i, from 0, or starts it again after it has ended, and waits until it answers: at the first start that needs most of the others.
func (c *Cluster) Start(ctx context.Context, i int) (*Apache, error) { return start(ctx, c.nodes[i]) }

// StartAll starts all of them at once.
func (c *Cluster) StartAll(ctx context.Context) ([]*Apache, error) {
	var all sync.WaitGroup
	brokers, errs := make([]*Apache, len(c.nodes)), make([]error, len(c.nodes))
	for i := range c.nodes {
		all.Go(func() { brokers[i], errs[i] = c.Start(ctx, i) })
	}
	all.Wait()
	err := errors.Join(errs...)
	if err == nil {
		return brokers, nil
	}
	for _, b := range brokers {
		if b != nil {
			b.Kill()
		}
	}
	return nil, err
}

// Brokers are the addresses for clients.
func (c *Cluster) Brokers() (addrs []string) {
	for _, n := range c.nodes {
		addrs = append(addrs, n.addr)
	}
	return addrs
}
