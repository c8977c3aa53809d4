package chhttp_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

var nativeColumns = []string{
	"1", "toInt16(-1)", "toUInt32(7)", "toInt64(-9)", "toUInt128(1)", "toInt256(-1)", "toFloat32(1.5)", "2.5", "true", "'x'", "toFixedString('ab', 5)",
	"toDate('2026-11-24')", "toDate32('1950-01-01')", "toDateTime('2026-11-24 01:02:03', 'Asia/Shanghai')", "toDateTime64('2026-11-24 01:02:03.123456', 6, 'UTC')",
	"toDecimal32(1.5, 2)", "toDecimal64(1.5, 4)", "toDecimal128(-1.5, 8)", "toDecimal256(1.5, 20)", "generateUUIDv4()", "toIPv4('1.2.3.4')", "toIPv6('::1')",
	"CAST('b', 'Enum8(\\'a, (b\\' = 1, \\'b\\' = 2)')", "CAST('a', 'Enum16(\\'a\\' = 300)')", "toIntervalDay(3)",
	"if(number % 2, number, NULL)", "[number, 1]", "[[], ['a', toString(number)]]", "map('k', number, 'l', 2)",
	"toLowCardinality(toString(number % 300))", "[toLowCardinality('x'), toLowCardinality(toString(number))]", "CAST([], 'Array(LowCardinality(String))')",
	"CAST(if(number % 3 = 0, NULL, toString(number % 7)), 'LowCardinality(Nullable(String))')", "toLowCardinality(toDate('2026-01-01') + number)",
	"CAST((number, 'b', [1]), 'Tuple(n UInt64, `s t` LowCardinality(String), a Array(UInt8))')", "(1, NULL::Nullable(String))",
	"map(toLowCardinality('a'), [toLowCardinality('b')])",
	"CAST((1, 2), 'Point')", "CAST([(1, 2), (3, 4)], 'Ring')", "CAST([[(1, 2)]], 'Polygon')", "CAST([[[(1, 2)]]], 'MultiPolygon')",
	"CAST(7, 'SimpleAggregateFunction(sum, UInt64)')", "CAST([(1, 'a'), (2, 'b')], 'Nested(x UInt8, y String)')", "CAST([], 'Array(Nothing)')", "NULL",
}

// Of a block with one column all bytes behind its type are its data: what Transcode must write follows from that without knowing the type.
func TestTranscode(t *testing.T) {
	addr, _ := testengine.ClickHouse(t)
	for _, column := range nativeColumns {
		// Revision 0 is what the engine writes: there is no client_protocol_version in the request.
		native := []byte(testengine.Exec(t, addr, "SELECT "+column+" AS c FROM numbers(1000) FORMAT Native"))
		data := columnData(native)
		head := native[:len(native)-len(data)]
		info := []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}
		for revision, want := range map[uint64][]byte{
			0:     native,
			54405: bytes.Join([][]byte{info, native}, nil),
			54460: bytes.Join([][]byte{info, head, {0}, data}, nil),
		} {
			twice, err := chhttp.Transcode(nil, append(native[:len(native):len(native)], native...), revision)
			if err != nil || !bytes.Equal(twice, append(want, want...)) {
				t.Errorf("%s, two blocks at %d: %v\n got %.200q\nwant %.200q", column, revision, err, twice, want)
			}
		}
		for cut := range min(len(native), 1000) {
			_, _ = chhttp.Transcode(nil, native[:cut], 54460) // must not panic
		}
	}
}

// columnData skips counts, name and type.
func columnData(native []byte) []byte {
	rest := native[1:]
	_, n := binary.Uvarint(rest)
	rest = rest[n:]
	for range 2 {
		length, n := binary.Uvarint(rest)
		rest = rest[n+int(length):]
	}
	return rest
}

func TestTranscodeUsesDecoderForOtherTypes(t *testing.T) {
	addr, _ := testengine.ClickHouse(t)
	native := []byte(testengine.Exec(t, addr, "SELECT number, CAST(number, 'Variant(UInt64, String)') FROM numbers(3) FORMAT Native"))
	got, err := chhttp.Transcode([]byte("before"), native, 54460)
	want, wantErr := chhttp.TranscodeDecoded([]byte("before"), native, 54460)
	if err != nil || wantErr != nil || !bytes.Equal(got, want) || !bytes.HasPrefix(got, []byte("before")) {
		t.Fatalf("got %q %v, want %q %v", got, err, want, wantErr)
	}
}
