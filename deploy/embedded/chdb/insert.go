package chdb

import (
	"errors"
	"fmt"
	"io"
	"unsafe"
)

// insertChunk is how much of an INSERT's data the engine is given at once. It copies it, and keeps a few chunks waiting at most.
const insertChunk = 256 << 10

// Insert runs an INSERT: sql is the statement up to the data, without FORMAT; format is that of the data, which is read to its end.
//
// Data should be at hand as a whole. An INSERT that has begun can only be given up by cancelling it from another thread than the one the engine
// runs it on, blocks of it that were written stay, and until then it holds its table; none of this is wanted for a client that hangs up.
func (c *Conn) Insert(sql, format string, data io.Reader, params ...Param) (Stats, error) {
	stats, err := c.insert(sql, format, data, params)
	if err != nil {
		c.settle()
	}
	return stats, err
}

func (c *Conn) insert(sql, format string, data io.Reader, params []Param) (Stats, error) {
	lib := c.engine.lib
	stream := c.start(lib.insert, sql, format, params)
	if stream == nil {
		return Stats{}, errors.New("chdb: the engine began no INSERT")
	}
	defer lib.insertDestroy(stream) // cancels it unless it is done
	if message := lib.insertError(stream); message != "" {
		return Stats{}, errors.New(message)
	}
	buffer := make([]byte, insertChunk)
	for {
		n, readErr := data.Read(buffer)
		if n > 0 && lib.insertAppend(stream, unsafe.Pointer(&buffer[0]), uintptr(n)) != 0 {
			return Stats{}, c.insertRefused(stream)
		}
		if errors.Is(readErr, io.EOF) {
			break
		}
		if readErr != nil {
			return Stats{}, fmt.Errorf("chdb: read the data of an INSERT: %w", readErr)
		}
	}
	_, stats, err := c.result(lib.insertDone(stream))
	return stats, err
}

func (c *Conn) insertRefused(stream pointer) error {
	if message := c.engine.lib.insertError(stream); message != "" {
		return errors.New(message)
	}
	return errors.New("chdb: the engine refused the data of an INSERT without saying why")
}
