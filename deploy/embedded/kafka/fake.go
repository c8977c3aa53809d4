package kafka

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Fake is a broker inside this process, on a TCP port that any Kafka client can use.
type Fake struct {
	// Cluster injects faults in tests.
	Cluster *kfake.Cluster

	addr string
	lock *os.File
}

// StartFake starts kfake at addr (port 0 takes any that is free). With a directory its topics, groups and transactions survive a restart; with
// "" it keeps everything in memory. Options of the caller come last and win.
func StartFake(dir, addr string, options ...kfake.Opt) (*Fake, error) {
	return StartFakeTelling(nil, dir, addr, options...)
}

// StartFakeTelling is StartFake that tells once in a while who spoke another protocol to the port.
func StartFakeTelling(stranger func(error), dir, addr string, options ...kfake.Opt) (*Fake, error) {
	host, err := advertised(addr)
	if err != nil {
		return nil, err
	}
	l, err := listen(addr)
	if err != nil {
		return nil, err
	}
	l = &frameListener{Listener: l, tell: stranger}
	all := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return namedListener{l, host}, nil }),
		// Without this, records of a replay that are older than a week would go as soon as any topic has a retention.
		kfake.BrokerConfigs(map[string]string{"log.retention.ms": "-1"}),
	}
	f := &Fake{addr: namedListener{l, host}.Addr().String()}
	if dir != "" {
		if f.lock, err = lockDir(context.Background(), dir, lockWait); err != nil {
			l.Close()
			return nil, err
		}
		all = append(all, kfake.DataDir(filepath.Join(dir, "data")))
	}
	if f.Cluster, err = kfake.NewCluster(append(all, options...)...); err != nil {
		l.Close()
		f.unlock()
		return nil, fmt.Errorf("kafka: start kfake on %q: %w", dir, err)
	}
	return f, nil
}

// Brokers are the addresses for clients.
func (f *Fake) Brokers() []string { return []string{f.addr} }

// Close stops the broker; its directory can be used again.
func (f *Fake) Close() error {
	f.Cluster.Close()
	f.unlock()
	return nil
}

func (f *Fake) unlock() {
	if f.lock != nil {
		f.lock.Close()
	}
}

// namedListener tells kfake the host that it is to advertise.
type namedListener struct {
	net.Listener
	host string
}

func (l namedListener) Addr() net.Addr { return namedAddr{l.Listener.Addr(), l.host} }

type namedAddr struct {
	net.Addr
	host string
}

func (a namedAddr) String() string {
	_, port, _ := net.SplitHostPort(a.Addr.String())
	return net.JoinHostPort(a.host, port)
}
