package chdb

import (
	"runtime"
	"unsafe"
)

// Param is a query parameter: {Name:Type} in the statement takes Value, written as ClickHouse's HTTP interface wants it (escaped like a TSV field).
type Param struct{ Name, Value string }

type startFunc func(conn, sql pointer, sqlLen uintptr, format pointer, formatLen uintptr, names, nameLens, values, valueLens pointer, count uintptr) pointer

// start calls one of the functions that take a statement, a format and parameters. All of them copy what they are given.
func (c *Conn) start(function startFunc, sql, format string, params []Param) pointer {
	var pin runtime.Pinner
	defer pin.Unpin()
	n := len(params)
	strings := make([]pointer, 2*n+1)
	lengths := make([]uintptr, 2*n+1)
	for i, p := range params {
		strings[i], lengths[i] = text(&pin, p.Name), uintptr(len(p.Name))
		strings[n+i], lengths[n+i] = text(&pin, p.Value), uintptr(len(p.Value))
	}
	return function(c.handle, text(&pin, sql), uintptr(len(sql)), text(&pin, format), uintptr(len(format)),
		unsafe.Pointer(&strings[0]), unsafe.Pointer(&lengths[0]), unsafe.Pointer(&strings[n]), unsafe.Pointer(&lengths[n]), uintptr(n))
}

var empty [1]byte

// text gives the address of a string's bytes. C code reads it by its length, so no zero byte is needed after it.
func text(pin *runtime.Pinner, s string) pointer {
	if s == "" {
		return unsafe.Pointer(&empty[0])
	}
	data := unsafe.StringData(s)
	pin.Pin(data)
	return unsafe.Pointer(data)
}
