package runtime

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"
)

// The brokers assign where they are asked to and can, and a process knows whether it is a member, whichever kind its group is of.
func TestGroupProtocols(t *testing.T) {
	for name, c := range map[string]struct {
		asked bool
		kind  string
		opts  []kfake.Opt
	}{
		"classic":                          {false, "classic", nil},
		"consumer":                         {true, "consumer", nil},
		"consumer, of a broker without it": {true, "classic", []kfake.Opt{kfake.MaxVersions(kversion.V3_5_0())}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, c.opts...)
			cfg := w.config()
			cfg.BrokersAssign = c.asked
			a, b := w.start(cfg), w.start(cfg)
			w.send(400)
			eventually(t, "each has half of the partitions", func() (bool, string) {
				n, m := len(a.Watermarks()), len(b.Watermarks())
				return n == testPart/2 && m == testPart/2, fmt.Sprint(n, m)
			})
			groups, err := kadm.NewClient(w.cl).DescribeConsumerGroups(t.Context(), "g")
			if brokers := err == nil && groups["g"].Err == nil; brokers != (c.kind == "consumer") {
				t.Errorf("the brokers assign: %v, want a %s group", brokers, c.kind)
			}
			if !a.isMember(t.Context()) || !b.isMember(t.Context()) {
				t.Error("a member is told that it is none")
			}
			w.send(400)
			w.drain(a, b)
			id, generation := b.group.GroupMetadata()
			b.stop()
			w.send(400)
			w.drain(a)
			w.check()
			if a.hasMember(t.Context(), w.cl, id, generation) {
				t.Error("who has left is told that it is a member")
			}
			a.stop()
		})
	}
}
