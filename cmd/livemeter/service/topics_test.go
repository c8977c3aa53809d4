package service_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

// A Kafka that answers and then does not make topics, as while its controller moves, is waited for like one that does not answer; what it has that is
// wrong ends the start.
func TestStartOutlastsAKafkaThatMakesNoTopicsYet(t *testing.T) {
	for name, c := range map[string]struct {
		code      *kerr.Error
		permanent bool
	}{"the controller moves": {kerr.RequestTimedOut, false}, "it may not": {kerr.TopicAuthorizationFailed, true}} {
		t.Run(name, func(t *testing.T) {
			cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
			if err != nil {
				t.Fatal(err)
			}
			defer cluster.Close()
			var refusals atomic.Int64
			cluster.ControlKey(int16(kmsg.CreateTopics), func(req kmsg.Request) (kmsg.Response, error, bool) { // once
				refusals.Add(1)
				resp := req.ResponseKind().(*kmsg.CreateTopicsResponse)
				for _, topic := range req.(*kmsg.CreateTopicsRequest).Topics {
					answer := kmsg.NewCreateTopicsResponseTopic()
					answer.Topic, answer.ErrorCode = topic.Topic, c.code.Code
					resp.Topics = append(resp.Topics, answer)
				}
				return resp, nil, true
			})
			cfg := config.Default()
			cfg.Kafka.Brokers, cfg.Admin.Addr, cfg.Topics.Replication = cluster.ListenAddrs(), "127.0.0.1:0", 1
			process, err := service.New(cfg, zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			var wrong *runtime.WrongTopicError
			err = process.Serve(t.Context(), func(ctx context.Context) (service.Plan, error) { return service.Plan{}, process.Topics(ctx) })
			if refusals.Load() != 1 || errors.As(err, &wrong) != c.permanent || !c.permanent && err != nil {
				t.Errorf("%d refusals, then %v", refusals.Load(), err)
			}
		})
	}
}
