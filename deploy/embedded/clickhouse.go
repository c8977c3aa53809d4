// Package embedded starts the engines of `demo`, of development and of tests: ClickHouse and Kafka, without anything installed.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
)

// shutdownGrace is how long running statements may go on when the ClickHouse is stopped.
const shutdownGrace = 10 * time.Second

// definitions looks for those of databases, tables and views that a full disk has emptied: the engine would end without saying which.
func definitions(dir string) error {
	for _, where := range []string{"metadata/*.sql", "store/*/*/*.sql"} {
		found, err := fs.Glob(os.DirFS(dir), where)
		if err != nil {
			return err
		}
		for _, f := range found {
			if info, err := os.Stat(filepath.Join(dir, f)); err == nil && info.Size() == 0 {
				return fmt.Errorf("clickhouse: %s has no content: the disk was full when this definition was written, and ClickHouse does not start with it. Put back a copy of it, or begin with another data directory; "+
					"a view's (below store, and not epochs, peaks_taken or with _rows in its name) can be removed: the next start makes it again", filepath.Join(dir, f))
			}
		}
	}
	return nil
}

// RunClickHouse runs ClickHouse of the library lib on the data directory dir, its HTTP interface at addr, until the context ends.
// ready, which may be nil, is called with the address when it takes requests. A process can do this once.
func RunClickHouse(ctx context.Context, lib, dir, addr string, options chhttp.Options, ready func(addr string)) error {
	l, err := chhttp.Listen(addr, "--addr") // first: a port in use is found out before the engine starts
	if err != nil {
		return err
	}
	defer l.Close()
	if err := definitions(dir); err != nil {
		return err
	}
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
