package chdb

import (
	"errors"
	"time"
	"unsafe"
)

// Conn is a connection: a session of the engine. It must not be used by two goroutines at once.
type Conn struct {
	engine  *Engine
	address pointer // what chdb_connect gave, wanted again by chdb_close_conn
	handle  pointer
	session session
}

// Stats tells what a statement read and wrote.
type Stats struct {
	ResultRows, ResultBytes   uint64
	ReadRows, ReadBytes       uint64
	WrittenRows, WrittenBytes uint64
	Elapsed                   time.Duration
}

func (s *Stats) add(t Stats) {
	s.ResultRows += t.ResultRows
	s.ResultBytes += t.ResultBytes
	s.ReadRows += t.ReadRows
	s.ReadBytes += t.ReadBytes
	s.WrittenRows += t.WrittenRows
	s.WrittenBytes += t.WrittenBytes
	s.Elapsed += t.Elapsed
}

// Query runs a statement and returns its whole result in the format given (unless the statement has its own FORMAT).
// An error is ClickHouse's own text, "Code: 60. DB::Exception: …".
func (c *Conn) Query(sql, format string, params ...Param) ([]byte, Stats, error) {
	return c.result(c.start(c.engine.lib.query, sql, format, params))
}

// result copies what a result handle holds and frees it.
func (c *Conn) result(handle pointer) ([]byte, Stats, error) {
	lib := c.engine.lib
	if handle == nil {
		return nil, Stats{}, errors.New("chdb: the engine gave no result")
	}
	defer lib.resultDestroy(handle)
	if message := lib.resultError(handle); message != "" {
		return nil, Stats{}, errors.New(message)
	}
	var data []byte
	if n := lib.resultLength(handle); n > 0 {
		data = append(data, unsafe.Slice((*byte)(lib.resultBuffer(handle)), n)...)
	}
	return data, Stats{
		ResultRows: lib.resultRows(handle), ResultBytes: lib.resultBytes(handle),
		ReadRows: lib.storageRows(handle), ReadBytes: lib.storageBytes(handle),
		WrittenRows: lib.rowsWritten(handle), WrittenBytes: lib.bytesWritten(handle),
		Elapsed: time.Duration(lib.resultElapsed(handle) * float64(time.Second)),
	}, nil
}

// Rows is a result that comes in pieces. The connection runs nothing else until it is closed.
type Rows struct {
	conn   *Conn
	handle pointer
	stats  Stats
	done   bool
}

// Stream runs a statement whose result is fetched in pieces, so that it never is in memory as a whole.
// Each piece is formatted on its own: use it with formats without a head and a foot (Native, RowBinary, TSV, JSONEachRow …).
func (c *Conn) Stream(sql, format string, params ...Param) (*Rows, error) {
	handle := c.start(c.engine.lib.streamQuery, sql, format, params)
	if handle == nil {
		return nil, errors.New("chdb: the engine gave no result")
	}
	if message := c.engine.lib.resultError(handle); message != "" {
		c.engine.lib.resultDestroy(handle)
		return nil, errors.New(message)
	}
	return &Rows{conn: c, handle: handle}, nil
}

// Next returns the next piece, or nil at the end.
func (r *Rows) Next() ([]byte, error) {
	if r.done {
		return nil, nil
	}
	data, stats, err := r.conn.result(r.conn.engine.lib.streamFetch(r.conn.handle, r.handle))
	r.stats.add(stats)
	r.done = err != nil || len(data) == 0
	return data, err
}

// Stats tells what was read up to now.
func (r *Rows) Stats() Stats { return r.stats }

// Close ends the statement, cancelling what is left of it.
func (r *Rows) Close() {
	if r.handle == nil {
		return
	}
	if !r.done {
		r.conn.engine.lib.streamCancel(r.conn.handle, r.handle)
	}
	r.conn.engine.lib.resultDestroy(r.handle)
	r.handle = nil
}

// Insert is an INSERT whose data is being appended. The connection runs nothing else until it is done or closed.
type Insert struct {
	conn   *Conn
	handle pointer
}

// Insert begins an INSERT: sql is the statement up to the data, without FORMAT; format is that of the data.
func (c *Conn) Insert(sql, format string, params ...Param) (*Insert, error) {
	handle := c.start(c.engine.lib.insert, sql, format, params)
	if message := c.engine.lib.insertError(handle); message != "" {
		c.engine.lib.insertDestroy(handle)
		return nil, errors.New(message)
	}
	return &Insert{conn: c, handle: handle}, nil
}

// Write appends data, cut anywhere. It waits while the engine is behind.
func (i *Insert) Write(data []byte) (int, error) {
	if len(data) == 0 {
		return 0, nil
	}
	if i.conn.engine.lib.insertAppend(i.handle, unsafe.Pointer(&data[0]), uintptr(len(data))) == 0 {
		return len(data), nil
	}
	if message := i.conn.engine.lib.insertError(i.handle); message != "" {
		return 0, errors.New(message)
	}
	return 0, errors.New("chdb: the engine refused the data of an INSERT without saying why")
}

// Done commits the INSERT.
func (i *Insert) Done() (Stats, error) {
	_, stats, err := i.conn.result(i.conn.engine.lib.insertDone(i.handle))
	return stats, err
}

// Close frees the INSERT. Without Done before it, the INSERT is cancelled; blocks that were written already stay, as in ClickHouse.
func (i *Insert) Close() {
	if i.handle != nil {
		i.conn.engine.lib.insertDestroy(i.handle)
		i.handle = nil
	}
}
