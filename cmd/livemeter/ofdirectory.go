package main

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/livemeter/livemeter/cmd/livemeter/stack"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// ofDirectory adds to an error what it means for who has no more than a directory.
func ofDirectory(err error, dir string) error {
	var store *runtime.OtherStoreError
	var older *runtime.OlderStoreError
	switch {
	case errors.As(err, &older):
		return fmt.Errorf("%w (the database of this directory is %s)", err, stack.ClickHouseDir(dir))
	case errors.Is(err, eventlog.ErrUnknown):
		return fmt.Errorf("%w (%s was not begun by this version: take another --dir)", err, dir)
	case errors.As(err, &store):
		return &lostDatabaseError{dir, store, err}
	}
	return err
}

// lostDatabaseError is an OtherStoreError in the words of a directory. Its own are those of services, whose topics can be deleted while ClickHouse is away.
type lostDatabaseError struct {
	dir   string
	store *runtime.OtherStoreError
	err   error
}

func (e *lostDatabaseError) Error() string {
	return fmt.Sprintf(`ClickHouse in %s is not the one that has the numbers of this directory: its data was lost, or is an older copy.
Put the data back as it was last; or start once with --clickhouse-take-over: that goes on from here, without what was counted before; or with another --dir.
Details: after --clickhouse-take-over who was there is not counted as a viewer or buyer of the present hour, day or session again, and demo, which compares
all events, needs another --dir. The table epochs has another uuid (system.tables): %s had the rows (partition %d, group %s), here it is %s`,
		stack.ClickHouseDir(e.dir), idText(e.store.Has), e.store.Partition, e.store.Group, idText(e.store.This))
}

func (e *lostDatabaseError) Unwrap() error { return e.err }

func idText(id []byte) string {
	if u, err := uuid.FromBytes(id); err == nil {
		return u.String()
	}
	return hex.EncodeToString(id)
}
