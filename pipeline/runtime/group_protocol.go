package runtime

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupProtocol are the options by which a member joins its group. With the brokers assigning (KIP-848) the client takes from its own balancer, a sticky one
// in all groups here, only which of theirs is meant, and from the brokers how often it is to say that it lives. One that lacks the protocol is spoken to in
// the classic way.
func groupProtocol(brokersAssign bool) []kgo.Opt {
	if !brokersAssign {
		return nil
	}
	return []kgo.Opt{kgo.ServerSideBalancer()}
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
