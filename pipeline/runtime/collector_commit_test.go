package runtime

import "testing"

// A commit of two partitions failed; then one of them is given back. What failed of the other has still to be stored.
func TestGivingBackKeepsWhatFailed(t *testing.T) {
	f := &collectorFeed{}
	s := &collectorSession{sources: []*collectorSource{{feed: f, partition: 0, acked: 10}, {feed: f, partition: 1, acked: 20}}}
	if n := len(s.uncommitted(f, nil)); n != 2 {
		t.Fatal(n)
	}
	f.recommit.Store(true)                    // as commit does when that fails
	s.uncommitted(f, map[int32]bool{0: true}) // giveBack
	if o := s.uncommitted(f, nil); o[1].Offset != 20 {
		t.Errorf("the end stores %v, want partition 1 at 20, of which no commit has succeeded", o)
	}
}
