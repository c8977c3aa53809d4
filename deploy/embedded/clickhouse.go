// Package embedded starts the engines of `demo`, of development and of tests: ClickHouse and Kafka, without anything installed.
package embedded

import (
	"context"
	"errors"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
)

// shutdownGrace is how long running statements may go on when the ClickHouse is stopped.
const shutdownGrace = 10 * time.Second

// RunClickHouse runs ClickHouse of the library lib on the data directory dir, its HTTP interface at addr, until the context ends.
// ready, which may be nil, is called with the address when it takes requests. A process can do this once.
func RunClickHouse(ctx context.Context, lib, dir, addr string, options chhttp.Options, ready func(addr string)) error {
	l, err := chhttp.Listen(addr, "--addr") // first: a port in use is found out before the engine starts
	if err != nil {
		return err
	}
	defer l.Close()
	engine, err := chdb.Open(lib, dir)
	if err != nil {
		return err
	}
	handler, err := chhttp.New(engine, options)
	if err != nil {
		return errors.Join(err, engine.Close())
	}
	if ready != nil {
		ready(l.Addr().String())
	}
	err = chhttp.Serve(ctx, l, handler, shutdownGrace)
	handler.Close()
	return errors.Join(err, engine.Close())
}
