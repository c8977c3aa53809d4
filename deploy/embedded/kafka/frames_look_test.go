package kafka

import (
	"encoding/binary"
	"slices"
	"testing"
)

// However the stream is cut into reads, beginnings are found where they are, and one that is none is refused before more than its length is passed on.
func TestRequestsAreFollowedHoweverTheyAreCut(t *testing.T) {
	request := func(key int16, body int) []byte {
		out := binary.BigEndian.AppendUint32(nil, uint32(2+body))
		out = binary.BigEndian.AppendUint16(out, uint16(key))
		return append(out, slices.Repeat([]byte{0xff}, body)...)
	}
	good := slices.Concat(request(18, 0), request(0, 1000), request(1, 7), request(3, 0))
	for size := 1; size <= len(good); size++ {
		c := &frameConn{}
		for part := range slices.Chunk(good, size) {
			if err := c.look(part); err != nil {
				t.Fatalf("in reads of %d bytes: %v", size, err)
			}
		}
		if c.have != 0 || c.left != 0 {
			t.Fatalf("in reads of %d bytes: %d bytes of a beginning and %d behind it are open at the end", size, c.have, c.left)
		}
		if err := c.look([]byte("GET ")); err == nil {
			t.Fatalf("in reads of %d bytes: HTTP behind them passes", size)
		}
	}
	c := &frameConn{}
	if err := c.look(binary.BigEndian.AppendUint32(nil, maxFrame+1)); err == nil {
		t.Error("a request of more than 100 MB passes")
	}
	if err := (&frameConn{}).look(binary.BigEndian.AppendUint32(nil, maxFrame)); err != nil {
		t.Errorf("a request of 100 MB: %v", err)
	}
}
