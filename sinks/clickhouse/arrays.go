package clickhouse

import (
	"bytes"

	"github.com/ClickHouse/ch-go/proto"
	ch "github.com/ClickHouse/clickhouse-go/v2"
	chcolumn "github.com/ClickHouse/clickhouse-go/v2/lib/column"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// arrays is a column of arrays: all their elements, and where each row's end. clickhouse-go boxes every element it appends to an array, which
// for the panes of a row costs more than all its other columns together; but it reads a column as the server sends it with one copy. So the
// column is written in that form, and read by it.
type arrays struct {
	ends   proto.ColUInt64
	values proto.ColInput
}

func (a *arrays) appendTo(col chcolumn.Interface) error {
	var wire proto.Buffer
	a.ends.EncodeColumn(&wire)
	a.values.EncodeColumn(&wire)
	return col.Decode(proto.NewReader(bytes.NewReader(wire.Buf)), len(a.ends))
}

func (in *insert) arrays(name, typ string, size int, a *arrays) {
	in.types = append(in.types, ch.ColumnNameAndType{Name: name, Type: "Array(" + typ + ")"})
	in.values = append(in.values, a)
	in.bytes += 8*len(a.ends) + size*a.values.Rows()
}

// runs sends those that there are, and nothing where there are none.
func (in *insert) runs(c *rollup.Cells, at []int32) {
	runs := valuesAt(c.Runs, at)
	if len(runs) == 0 {
		return
	}
	ends, values := make(proto.ColUInt64, in.rows), make(proto.ColInt64, 0, 3*len(runs))
	for i := range ends {
		if i < len(runs) && runs[i] != (rollup.Run{}) {
			values = append(values, runs[i][:]...)
		}
		ends[i] = uint64(len(values))
	}
	in.arrays("runs", "Int64", 8, &arrays{ends, &values})
}

// panes sends those of minutes, nothing where there are none. Of a whole block they are sent as they are.
func (in *insert) panes(c *rollup.Cells, at []int32) {
	if len(c.PaneAt) == 0 {
		return
	}
	ends := make(proto.ColUInt64, in.rows)
	keys, values := proto.ColUInt16(c.PaneAt), proto.ColInt64(c.PaneValue)
	if at == nil {
		for i := range ends {
			ends[i] = uint64(len(keys))
			if i < len(c.PaneEnd) {
				ends[i] = uint64(c.PaneEnd[i])
			}
		}
	} else {
		keys, values = nil, nil
		for i, row := range at {
			k, v := c.Panes(int(row))
			keys, values = append(keys, k...), append(values, v...)
			ends[i] = uint64(len(keys))
		}
		if len(keys) == 0 {
			return
		}
	}
	in.arrays("pane_at", "UInt16", 2, &arrays{ends, &keys})
	in.arrays("pane_value", "Int64", 8, &arrays{ends, &values})
}
