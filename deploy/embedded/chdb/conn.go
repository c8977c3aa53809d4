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
	closed  func() // nil for those of the pool
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
	data, stats, err := c.result(c.start(c.engine.lib.query, sql, format, params))
	if err != nil {
		c.settle()
	}
	return data, stats, err
}

// settle makes the engine let go of a statement that failed or was given up: it keeps such a statement, and with it the tables in it, until
// the connection's next one, and a DROP TABLE … SYNC or DROP DATABASE of other connections waits for that long.
func (c *Conn) settle() {
	if _, _, err := c.result(c.start(c.engine.lib.query, "SELECT 1", "Null", nil)); err != nil {
		c.Spoil()
	}
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
	whole  bool // done without an error
}

// Stream runs a statement whose result is fetched in pieces, so that it never is in memory as a whole.
// Each piece is formatted on its own: use it with formats without a head and a foot (Native, RowBinary, TSV, JSONEachRow …).
func (c *Conn) Stream(sql, format string, params ...Param) (*Rows, error) {
	handle := c.start(c.engine.lib.streamQuery, sql, format, params)
	if handle == nil {
		c.settle()
		return nil, errors.New("chdb: the engine gave no result")
	}
	if message := c.engine.lib.resultError(handle); message != "" {
		c.engine.lib.resultDestroy(handle)
		c.settle()
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
	r.whole = err == nil && len(data) == 0
	r.done = err != nil || r.whole
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
	if !r.whole {
		r.conn.settle()
	}
}
