package aggregate

import (
	"testing"
	"unsafe"
)

// The hot path counts on it.
func TestCacheLines(t *testing.T) {
	if c, s := unsafe.Sizeof(cell{}), unsafe.Sizeof(sparse{}); c != 128 || s != 64 {
		t.Errorf("a cell has %d bytes, want 128; a sparse has %d, want 64", c, s)
	}
}
