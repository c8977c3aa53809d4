package clickhouse

import "math"

// Most measures of most rows are 0 and nearly all are small. Over HTTP the server converts what it reads to the column's type, so a
// column travels in the narrowest type that holds its values, and one of zeros alone does not travel at all: a row of the cube room
// takes some 100 bytes on the wire instead of 350. The native protocol wants the column's own type.
//
// values may end early: the rows behind its end are 0.
func (in *insert) measure(name string, values []int64, narrow bool) {
	low, high := int64(0), int64(0)
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	switch {
	case low == 0 && high == 0:
	case narrow && low >= 0 && high <= math.MaxUint8:
		fixed(in, name, "UInt8", 1, convert[uint8](values, in.rows))
	case narrow && low >= math.MinInt16 && high <= math.MaxInt16:
		fixed(in, name, "Int16", 2, convert[int16](values, in.rows))
	case narrow && low >= math.MinInt32 && high <= math.MaxInt32:
		fixed(in, name, "Int32", 4, convert[int32](values, in.rows))
	default:
		fixed(in, name, "Int64", 8, convert[int64](values, in.rows))
	}
}

func convert[T uint8 | int16 | int32 | int64](values []int64, rows int) []T {
	out := make([]T, rows)
	for i, v := range values {
		out[i] = T(v)
	}
	return out
}
