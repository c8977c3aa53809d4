package runtime

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A partition that ended by an error is not taken back before the group's coordinator says that this process is a member: another may have it by now.
func TestAPartitionIsTakenBackByAMemberOnly(t *testing.T) {
	w := newWorld(t)
	asked, answers := 0, []int16{kerr.UnknownMemberID.Code, kerr.IllegalGeneration.Code, kerr.RebalanceInProgress.Code}
	w.cluster.ControlKey(int16(kmsg.Heartbeat), func(req kmsg.Request) (kmsg.Response, error, bool) {
		w.cluster.KeepControl()
		resp := req.ResponseKind().(*kmsg.HeartbeatResponse)
		resp.ErrorCode = answers[min(asked, len(answers)-1)]
		asked++
		return resp, nil, true
	})
	group, err := kgo.NewClient(kgo.SeedBrokers(w.cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	s := &slot{r: &Reader{cfg: w.config(), group: group}, stop: make(chan struct{})}
	s.ctx, s.kill = context.WithCancel(t.Context())
	defer s.kill()
	if !s.mayRestart(0) || asked != len(answers) {
		t.Errorf("taken back, or given up, after %d answers, want %d", asked, len(answers))
	}
	asked = 0
	s.stopNow()
	if s.mayRestart(10) || asked != 0 {
		t.Errorf("taken back after a stop, %d answers", asked)
	}
}
