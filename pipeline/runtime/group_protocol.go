package runtime

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// heartbeatEvery is how soon a member learns that others come or go. A partition that moves waits for it: its new owner is told when all members have heard.
const heartbeatEvery = time.Second

// membership are the options by which a client joins a group. With the brokers assigning (KIP-848) it takes from its own balancer, a sticky one in all groups
// here, only which of theirs is meant, and from the brokers the session's timeout and how often it is to say that it lives. Brokers that lack the protocol are
// spoken to in the classic way.
func membership(group, instance string, timeout time.Duration, brokersAssign bool) []kgo.Opt {
	opts := []kgo.Opt{kgo.ConsumerGroup(group), kgo.Balancers(kgo.CooperativeStickyBalancer()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(timeout), kgo.HeartbeatInterval(min(heartbeatEvery, timeout/4))}
	if brokersAssign {
		opts = append(opts, kgo.ServerSideBalancer())
	}
	if instance != "" {
		opts = append(opts, kgo.InstanceID(instance))
	}
	return opts
}

// isMember asks the coordinator whether this process is a member of the group.
func (r *Reader) isMember(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	id, generation := r.group.GroupMetadata()
	return r.hasMember(ctx, r.group, id, generation)
}

// hasMember asks of a group that the brokers assign for its description: the answer to a heartbeat may hold an assignment, which the group's client would
// then never see. Of any other, with a heartbeat.
func (r *Reader) hasMember(ctx context.Context, cl *kgo.Client, id string, generation int32) bool {
	if r.cfg.BrokersAssign {
		req := kmsg.NewPtrConsumerGroupDescribeRequest()
		req.Groups = []string{r.cfg.Group}
		resp, err := req.RequestWith(ctx, cl)
		if err == nil && len(resp.Groups) == 1 && resp.Groups[0].ErrorCode != kerr.GroupIDNotFound.Code { // which also says that it is a classic one
			return slices.ContainsFunc(resp.Groups[0].Members, func(m kmsg.ConsumerGroupDescribeResponseGroupMember) bool { return m.MemberID == id })
		}
	}
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.Generation = r.cfg.Group, id, generation
	if r.cfg.InstanceID != "" {
		req.InstanceID = kmsg.StringPtr(r.cfg.InstanceID)
	}
	resp, err := req.RequestWith(ctx, cl)
	return err == nil && (resp.ErrorCode == 0 || resp.ErrorCode == kerr.RebalanceInProgress.Code)
}
