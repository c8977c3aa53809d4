package eventlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"
)

// FormatVersion is the second byte of every record. It rises when any record's layout changes; a reader knows all from oldestVersion on, since a log holds
// what several versions of livemeter have written. A rare field of an event is a new bit of the mask, at its end.
const (
	FormatVersion byte = 3
	oldestVersion byte = 2
)

const headerBytes = 2 // record type, format version

// An entry on the wire:
//
//	kind | flags<<3 | extras<<7, sub, [mask]
//	source (0: defined here as id, partition), offset − last offset of the source
//	recv − recv of the entry before, recv − ts
//	... a reject ends here, but for one that names an instance (hasInstance): viewer 16, instance 8, seq, room with a platform alone, [sdk]
//	viewer 16, instance 8, fingerprint 8, seq, room, [view 8], [value]
//	by mask: experiments, sku, origin, currency, gift, rating, click 8, sdk, original (id, partition, offset, reason, topic)
//	an order: its body
//
// Strings are references; 0 is followed by length and bytes and defines the next one. A viewer and an interaction always have view and
// value; on other kinds they go by mask.
const (
	kindMask  = 0x07
	flagShift = 3
	flagMask  = 0x0f
	extraBit  = 0x80
)

// Bits of an entry's mask, a varint: which of the rare fields follow.
const (
	hasExps uint32 = 1 << iota
	hasSKU
	hasOrigin
	hasCurrency
	hasGift
	hasRating
	hasClick
	hasViewValue // view and value on a kind that does not always have them
	hasSDK       // since version 3
	hasInstance  // of a reject, since version 3
	hasOriginal  // a replay, since version 3
	maskEnd
)

var (
	// ErrDamaged is a record that cannot have been written by any collector of its version.
	ErrDamaged = errors.New("eventlog: damaged record")
	// ErrUnknown is a record of a type or a version that this binary does not know: it was written by a newer one, or one too old.
	ErrUnknown = errors.New("eventlog: unknown record")
)

// RecordType is the type of a record of the log. An unknown type or version is ErrUnknown: the reader must stop, not skip.
func RecordType(value []byte) (byte, error) {
	if len(value) < headerBytes {
		return 0, fmt.Errorf("%w: %d bytes, shorter than a header", ErrDamaged, len(value))
	}
	if value[0] < RecordBlock || value[0] > RecordStalled {
		return 0, fmt.Errorf("%w: record type %d (this binary knows 1 to %d); upgrade livemeter", ErrUnknown, value[0], RecordStalled)
	}
	switch v := value[1]; {
	case v > FormatVersion:
		return 0, fmt.Errorf("%w: format version %d (this binary knows %d to %d); upgrade livemeter", ErrUnknown, v, oldestVersion, FormatVersion)
	case v < oldestVersion:
		return 0, fmt.Errorf("%w: format version %d of an older livemeter (this binary knows %d to %d): begin with empty topics and an empty database, or go on with that one",
			ErrUnknown, v, oldestVersion, FormatVersion)
	}
	return value[0], nil
}

func checkType(value []byte, want byte) error {
	t, err := RecordType(value)
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%w: record type %d where %d is expected", ErrDamaged, t, want)
	}
	return nil
}

// damaged is where it hurts: i is an index into a record that may lie beyond its end.
func damaged(what string, i int) error { return fmt.Errorf("%w: %s at byte %d", ErrDamaged, what, i) }

// beyond is the index after a malformed field. It lies behind the end of any record (Kafka's stay far below 1 GiB) and stays there however many fields are read
// after it, so that one check per group of fields is enough.
const beyond = 1 << 30

// uvarint reads at p[i:] and answers the index after it, or one beyond the end.
func uvarint(p []byte, i int) (uint64, int) {
	if i < len(p) && p[i] < 0x80 {
		return uint64(p[i]), i + 1
	}
	return uvarintSlow(p, i)
}

func uvarintSlow(p []byte, i int) (uint64, int) {
	if i+1 < len(p) && p[i+1] < 0x80 {
		return uint64(p[i]&0x7f) | uint64(p[i+1])<<7, i + 2
	}
	if i >= len(p) {
		return 0, beyond
	}
	v, n := binary.Uvarint(p[i:])
	if n <= 0 {
		return 0, beyond
	}
	return v, i + n
}

func varint(p []byte, i int) (int64, int) {
	v, i := uvarint(p, i)
	return int64(v>>1) ^ -int64(v&1), i
}

func zigzag(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }

// text reads a length and that many bytes. The string aliases p.
func text(p []byte, i int) (string, int) {
	n, i := uvarint(p, i)
	if n == 0 || i > len(p) || n > uint64(len(p)-i) {
		if n == 0 && i <= len(p) {
			return "", i
		}
		return "", beyond
	}
	return unsafe.String(&p[i], int(n)), i + int(n)
}

func appendText(p []byte, s string) []byte {
	p = binary.AppendUvarint(p, uint64(len(s)))
	return append(p, s...)
}

// topicID reads 16 bytes.
func topicID(p []byte, i int) (id [16]byte, next int) {
	if i > len(p) || len(p)-i < 16 {
		return id, beyond
	}
	return [16]byte(p[i:]), i + 16
}
