package chhttp_test

import (
	"bytes"
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// What Transcode writes without decoding must be what clickhouse-go's decoder and encoder write.
func TestTranscodeAgainstDecoder(t *testing.T) {
	addr, _ := testengine.ClickHouse(t)
	for _, sql := range []string{
		"SELECT 1, toInt16(-1), toUInt32(7), toInt64(-9), toUInt128(1), toInt256(-1), toFloat32(1.5), 2.5, true, 'x', toFixedString('ab', 5)",
		"SELECT toDate('2026-11-24'), toDate32('1950-01-01'), toDateTime('2026-11-24 01:02:03', 'Asia/Shanghai'), toDateTime64('2026-11-24 01:02:03.123456', 6, 'UTC')",
		"SELECT toDecimal32(1.5, 2), toDecimal64(1.5, 4), toDecimal128(-1.5, 8), toDecimal256(1.5, 20), generateUUIDv4(), toIPv4('1.2.3.4'), toIPv6('::1')",
		"SELECT CAST('b', 'Enum8(\\'a, (b\\' = 1, \\'b\\' = 2)'), CAST('a', 'Enum16(\\'a\\' = 300)'), toIntervalDay(3)",
		"SELECT if(number % 2, number, NULL), [number, 1], [[], ['a', toString(number)]], map('k', number, 'l', 2) FROM numbers(1000)",
		"SELECT toLowCardinality(toString(number % 300)), [toLowCardinality('x'), toLowCardinality(toString(number))], CAST([], 'Array(LowCardinality(String))') FROM numbers(1000)",
		"SELECT CAST(if(number % 3 = 0, NULL, toString(number % 7)), 'LowCardinality(Nullable(String))') FROM numbers(1000)",
		"SELECT CAST((number, 'b', [1]), 'Tuple(n UInt64, `s t` LowCardinality(String), a Array(UInt8))'), (1, NULL::Nullable(String)) FROM numbers(10)",
		"SELECT CAST((1, 2), 'Point'), CAST([(1, 2), (3, 4)], 'Ring'), CAST([[(1, 2)]], 'Polygon'), CAST([[[(1, 2)]]], 'MultiPolygon')",
		"SELECT CAST(7, 'SimpleAggregateFunction(sum, UInt64)'), CAST([(1, 'a'), (2, 'b')], 'Nested(x UInt8, y String)')",
		"SELECT CAST([], 'Array(Nothing)'), NULL",
	} {
		// Revision 0 is what the engine writes: no client_protocol_version in the request.
		native := []byte(testengine.Exec(t, addr, sql+" FORMAT Native"))
		for _, revision := range []uint64{54405, 54460} {
			got, err := chhttp.Transcode(nil, native, revision)
			if err != nil {
				t.Errorf("%s: %v", sql, err)
				continue
			}
			want, err := chhttp.TranscodeDecoded(nil, native, revision)
			if err != nil {
				t.Errorf("%s: decoder: %v", sql, err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s at %d:\n got %q\nwant %q", sql, revision, got, want)
			}
		}
		for cut := range min(len(native), 2000) {
			_, _ = chhttp.Transcode(nil, native[:cut], 54460) // must not panic
		}
	}
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
