package chhttp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// inMemory is how much of an INSERT's data is kept in memory; what is larger goes on in a temporary file.
const inMemory = 8 << 20

// spool holds the data of an INSERT until all of it is here. The engine sees an INSERT only then: one that its client cuts off leaves nothing,
// and one that comes slowly holds neither a connection nor the table.
type spool struct {
	memory *bytes.Buffer
	file   *os.File // nil if all is in memory
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// collect reads the data of an INSERT: start, which was read with the statement, and the rest. The caller closes what it gets.
// dir is where a temporary file may be made.
func collect(dir, start string, rest io.Reader) (*spool, error) {
	s := &spool{memory: buffers.Get().(*bytes.Buffer)}
	s.memory.Reset()
	if err := s.fill(dir, start, rest); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *spool) fill(dir, start string, rest io.Reader) error {
	s.memory.WriteString(start)
	if n, err := s.memory.ReadFrom(io.LimitReader(rest, inMemory)); err != nil {
		return bodyError(err)
	} else if n < inMemory {
		return nil
	}
	file, err := os.CreateTemp(dir, "livemeter-insert-")
	if err != nil {
		return fmt.Errorf("chhttp: a file for the data of an INSERT: %w", err)
	}
	s.file = file
	if err := os.Remove(file.Name()); err != nil { // it lives until it is closed: a process that is killed leaves none
		return fmt.Errorf("chhttp: %w", err)
	}
	reading := &tracked{source: rest}
	if _, err := io.Copy(file, reading); err != nil {
		if reading.err != nil {
			return bodyError(reading.err)
		}
		return fail(codeNoSpace, "CANNOT_WRITE_TO_FILE_DESCRIPTOR", "The data of the INSERT can't be kept until all of it is here: %s", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("chhttp: %w", err)
	}
	return nil
}

// data reads what was collected.
func (s *spool) data() io.Reader {
	if s.file == nil {
		return s.memory
	}
	return io.MultiReader(s.memory, s.file)
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close() // it has no name any more
	}
	if s.memory.Cap() <= 2*inMemory {
		buffers.Put(s.memory)
	}
}

// tracked keeps the error of a reader, to tell it from one of the writer.
type tracked struct {
	source io.Reader
	err    error
}

func (t *tracked) Read(p []byte) (int, error) {
	n, err := t.source.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = err
	}
	return n, err
}
