package slab

import (
	"reflect"
	"sync/atomic"
)

var mapped atomic.Int64

// Mapped is how many bytes the slabs of this process have outside the Go heap.
func Mapped() int64 { return mapped.Load() }

func hasPointers[T any]() bool { return pointersIn(reflect.TypeFor[T]()) }

func pointersIn(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32,
		reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Array:
		return pointersIn(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if pointersIn(t.Field(i).Type) {
				return true
			}
		}
		return false
	}
	return true
}
