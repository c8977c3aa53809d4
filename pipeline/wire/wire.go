// Package wire writes and reads the compact records that livemeter keeps for itself: checkpoints and the hop between enricher and
// aggregator. Numbers are varints; strings are defined where they first occur in a record and are references afterwards.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Writer builds one record. The zero Writer is ready; Reset starts the next record.
type Writer struct {
	Buf  []byte
	refs map[string]uint64
}

// Reset empties the record and its string table.
func (w *Writer) Reset() {
	w.Buf = w.Buf[:0]
	clear(w.refs)
}

func (w *Writer) Byte(b byte)    { w.Buf = append(w.Buf, b) }
func (w *Writer) Uint(v uint64)  { w.Buf = binary.AppendUvarint(w.Buf, v) }
func (w *Writer) Int(v int64)    { w.Buf = binary.AppendVarint(w.Buf, v) }
func (w *Writer) Fixed(v uint64) { w.Buf = binary.LittleEndian.AppendUint64(w.Buf, v) }
func (w *Writer) Bool(b bool) {
	if b {
		w.Byte(1)
	} else {
		w.Byte(0)
	}
}

// Raw writes a string without entering it into the table.
func (w *Writer) Raw(s string) {
	w.Uint(uint64(len(s)))
	w.Buf = append(w.Buf, s...)
}

// String writes s as a reference, defining it if it is new in this record.
func (w *Writer) String(s string) {
	if r, ok := w.refs[s]; ok {
		w.Uint(r)
		return
	}
	if w.refs == nil {
		w.refs = map[string]uint64{}
	}
	w.refs[s] = uint64(len(w.refs)) + 1
	w.Byte(0)
	w.Raw(s)
}

// ErrDamaged is the error of every malformed record.
var ErrDamaged = errors.New("damaged record")

// Reader reads what Writer wrote. After the first error every read gives zero values; Err tells.
type Reader struct {
	buf  []byte
	at   int
	strs []string
	err  error
}

// Reset starts reading a record. Strings are copied out of it.
func (r *Reader) Reset(buf []byte) {
	r.buf, r.at, r.strs, r.err = buf, 0, r.strs[:0], nil
}

// Err is the first error.
func (r *Reader) Err() error { return r.err }

// Left is the number of unread bytes.
func (r *Reader) Left() int { return len(r.buf) - r.at }

func (r *Reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s at byte %d of %d", ErrDamaged, what, r.at, len(r.buf))
		r.at = len(r.buf)
	}
}

// Damaged makes what the caller found wrong in the values the reader's error.
func (r *Reader) Damaged(what string) { r.fail(what) }

func (r *Reader) Byte() byte {
	if r.at >= len(r.buf) {
		r.fail("byte")
		return 0
	}
	r.at++
	return r.buf[r.at-1]
}

func (r *Reader) Bool() bool { return r.Byte() != 0 }

func (r *Reader) Uint() uint64 {
	if r.at < len(r.buf) && r.buf[r.at] < 0x80 {
		r.at++
		return uint64(r.buf[r.at-1])
	}
	v, n := binary.Uvarint(r.buf[r.at:])
	if n <= 0 {
		r.fail("number")
		return 0
	}
	r.at += n
	return v
}

func (r *Reader) Int() int64 {
	v := r.Uint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *Reader) Fixed() uint64 {
	if r.Left() < 8 {
		r.fail("fixed number")
		return 0
	}
	r.at += 8
	return binary.LittleEndian.Uint64(r.buf[r.at-8:])
}

// Count reads a number of things of at least size bytes each: no more than the record can hold.
func (r *Reader) Count(size int) int {
	n := r.Uint()
	if n > uint64(r.Left()/max(size, 1)) {
		r.fail("count")
		return 0
	}
	return int(n)
}

func (r *Reader) Raw() string {
	n := r.Count(1)
	r.at += n
	return string(r.buf[r.at-n : r.at])
}

func (r *Reader) String() string {
	n := r.Uint()
	if n == 0 {
		s := r.Raw()
		r.strs = append(r.strs, s)
		return s
	}
	if n > uint64(len(r.strs)) {
		r.fail("string reference")
		return ""
	}
	return r.strs[n-1]
}
