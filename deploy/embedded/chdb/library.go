// Package chdb runs ClickHouse inside this process: it binds libchdb.so (ClickHouse as a library) with purego, so that no cgo is needed.
//
// A process holds one engine on one data directory; connections share it and run side by side. A connection is a session: its current
// database, settings and temporary tables are its own, and it runs one statement at a time.
package chdb

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// pointer is any handle or address that libchdb owns. It is never memory of the Go heap.
type pointer = unsafe.Pointer

// library is the part of libchdb's C API that is used here.
type library struct {
	setSignalHandlers func(enabled int32)
	connect           func(argc int32, argv pointer) pointer
	closeConn         func(conn pointer)
	query             func(conn, sql pointer, sqlLen uintptr, format pointer, formatLen uintptr, names, nameLens, values, valueLens pointer, count uintptr) pointer
	streamQuery       func(conn, sql pointer, sqlLen uintptr, format pointer, formatLen uintptr, names, nameLens, values, valueLens pointer, count uintptr) pointer
	streamFetch       func(conn, stream pointer) pointer
	streamCancel      func(conn, stream pointer)
	insert            func(conn, sql pointer, sqlLen uintptr, format pointer, formatLen uintptr, names, nameLens, values, valueLens pointer, count uintptr) pointer
	insertAppend      func(stream, data pointer, length uintptr) int32
	insertDone        func(stream pointer) pointer
	insertError       func(stream pointer) string
	insertDestroy     func(stream pointer)
	resultBuffer      func(result pointer) pointer
	resultLength      func(result pointer) uintptr
	resultError       func(result pointer) string
	resultElapsed     func(result pointer) float64
	resultRows        func(result pointer) uint64
	resultBytes       func(result pointer) uint64
	storageRows       func(result pointer) uint64
	storageBytes      func(result pointer) uint64
	rowsWritten       func(result pointer) uint64
	bytesWritten      func(result pointer) uint64
	resultDestroy     func(result pointer)
}

var loaded struct {
	sync.Mutex
	path string
	lib  *library
}

// load opens libchdb once for the process: it can't be unloaded, and two versions side by side share their symbols.
func load(path string) (*library, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.lib != nil {
		if loaded.path != path {
			return nil, fmt.Errorf("chdb: %s is loaded already, %s can't be loaded beside it in one process", loaded.path, path)
		}
		return loaded.lib, nil
	}
	if err := useUTC(); err != nil {
		return nil, err
	}
	handle, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("chdb: load %s: %w", path, err)
	}
	lib := &library{}
	for _, symbol := range lib.symbols() {
		address, err := purego.Dlsym(handle, symbol.name)
		if err != nil {
			return nil, fmt.Errorf("chdb: %s has no function %s (another version of libchdb?): %w", path, symbol.name, err)
		}
		purego.RegisterFunc(symbol.function, address)
	}
	// libchdb's handlers of SIGSEGV and the like would take the place of those of the Go runtime.
	lib.setSignalHandlers(0)
	loaded.path, loaded.lib = path, lib
	return lib, nil
}

// useUTC sets the engine's time zone, which it takes from the environment of the C library: results must not depend on the machine.
func useUTC() error {
	libc, err := purego.Dlopen("libc.so.6", purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("chdb: the C library: %w", err)
	}
	var setenv func(name, value string, overwrite int32) int32
	purego.RegisterLibFunc(&setenv, libc, "setenv")
	if setenv("TZ", "UTC", 1) != 0 {
		return errors.New("chdb: the C library could not set TZ")
	}
	return nil
}

type symbol struct {
	name     string
	function any
}

func (l *library) symbols() []symbol {
	return []symbol{
		{"chdb_set_signal_handlers_enabled", &l.setSignalHandlers},
		{"chdb_connect", &l.connect},
		{"chdb_close_conn", &l.closeConn},
		{"chdb_query_with_params_n", &l.query},
		{"chdb_stream_query_with_params_n", &l.streamQuery},
		{"chdb_stream_fetch_result", &l.streamFetch},
		{"chdb_stream_cancel_query", &l.streamCancel},
		{"chdb_stream_insert_with_params_n", &l.insert},
		{"chdb_stream_append", &l.insertAppend},
		{"chdb_stream_done", &l.insertDone},
		{"chdb_stream_insert_error", &l.insertError},
		{"chdb_destroy_insert_stream", &l.insertDestroy},
		{"chdb_result_buffer", &l.resultBuffer},
		{"chdb_result_length", &l.resultLength},
		{"chdb_result_error", &l.resultError},
		{"chdb_result_elapsed", &l.resultElapsed},
		{"chdb_result_rows_read", &l.resultRows},
		{"chdb_result_bytes_read", &l.resultBytes},
		{"chdb_result_storage_rows_read", &l.storageRows},
		{"chdb_result_storage_bytes_read", &l.storageBytes},
		{"chdb_result_rows_written", &l.rowsWritten},
		{"chdb_result_bytes_written", &l.bytesWritten},
		{"chdb_destroy_query_result", &l.resultDestroy},
	}
}
