package kafka

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Fake is a broker inside this process, on a TCP port that any Kafka client can use.
type Fake struct {
	// Cluster injects faults in tests.
	Cluster *kfake.Cluster

	addr   string
	lock   *os.File
	keeper *keeper // nil in memory
}

// Tell is who hears of what goes wrong in a Fake.
type Tell struct {
	Stranger func(error) // who spoke another protocol to the port, once a minute at most
	Disk     func(error) // what cannot be written, each time
}

// StartFake starts kfake at addr (port 0 takes any that is free). With a directory its topics, groups and transactions survive a restart; with
// "" it keeps everything in memory. Options of the caller come last and win.
func StartFake(dir, addr string, options ...kfake.Opt) (*Fake, error) {
	return StartFakeTelling(Tell{}, dir, addr, options...)
}

// StartFakeTelling is StartFake that tells.
func StartFakeTelling(tell Tell, dir, addr string, options ...kfake.Opt) (*Fake, error) {
	return startFake(tell, dir, addr, sweepEvery, options...)
}

func startFake(tell Tell, dir, addr string, sweepEvery time.Duration, options ...kfake.Opt) (*Fake, error) {
	host, err := advertised(addr)
	if err != nil {
		return nil, err
	}
	l, err := listen(addr)
	if err != nil {
		return nil, err
	}
	disk, ready := &diskLog{tell: tell.Disk}, make(chan struct{})
	defer close(ready)
	named := namedListener{&frameListener{Listener: l, ready: ready, tell: tell.Stranger}, host}
	f := &Fake{addr: named.Addr().String()}
	all := append([]kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ListenFn(func(string, string) (net.Listener, error) { return named, nil }),
		kfake.WithLogger(disk),
		// Without this, records of a replay that are older than a week would go as soon as any topic has a retention.
		kfake.BrokerConfigs(map[string]string{"log.retention.ms": "-1"}),
	}, options...)
	if dir == "" {
		err = f.startCluster(all)
	} else {
		err = f.startOn(dir, l.Addr().String(), sweepEvery, disk, all)
	}
	if err != nil {
		l.Close()
		f.unlock()
		return nil, err
	}
	return f, nil
}

func (f *Fake) startCluster(options []kfake.Opt) (err error) {
	if f.Cluster, err = kfake.NewCluster(options...); err != nil {
		return fmt.Errorf("kafka: start kfake: %w", err)
	}
	return nil
}

// startOn starts kfake on a directory.
func (f *Fake) startOn(dir, addr string, sweepEvery time.Duration, disk *diskLog, options []kfake.Opt) (err error) {
	if f.lock, err = lockDir(context.Background(), dir, lockWait); err != nil {
		return err
	}
	known, err := mend(dir)
	if err != nil {
		return err
	}
	options = append(options, kfake.DataDir(dataDir(dir)), kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": never}))
	if err := f.startCluster(options); err != nil {
		return fmt.Errorf("%w (in %s)", err, dir)
	}
	f.keeper, err = keep(f.Cluster, dir, addr, known, sweepEvery, disk.look)
	if err != nil {
		f.Cluster.Close()
	}
	return err
}

// Brokers are the addresses for clients.
func (f *Fake) Brokers() []string { return []string{f.addr} }

// Sweep takes the records now whose time is over, and compacts, which else happens every hour. In memory kfake does it.
func (f *Fake) Sweep(ctx context.Context) error {
	if f.keeper == nil {
		f.Cluster.Compact()
		return nil
	}
	return f.keeper.sweep(ctx)
}

// Close stops the broker; its directory can be used again.
func (f *Fake) Close() error {
	if f.keeper != nil {
		f.keeper.close()
	}
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
