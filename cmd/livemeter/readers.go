package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/pipeline/event"
)

// askLimit bounds questions whose answer is no more than a hint.
const askLimit = 5 * time.Second

// waitForKafka asks for a sign of life, and says that it waits for one.
func waitForKafka(ctx context.Context, cfg *config.Config, s streams) error {
	return waiting(s, "waiting for Kafka at "+strings.Join(cfg.Kafka.Brokers, ",")+" to answer", func() error { return service.ReachKafka(ctx, cfg) })
}

// topicsToFill makes the topics that are missing, and says what makes one doubt that anybody reads them: generate would succeed into nothing.
func topicsToFill(ctx context.Context, cfg *config.Config, opts []kgo.Opt) (doubt string, err error) {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(cfg.Kafka.Brokers...)}, opts...)...)
	if err != nil {
		return "", err
	}
	adm := kadm.NewClient(client)
	defer adm.Close()
	made, err := service.EnsureTopics(ctx, cfg, zap.NewNop())
	if err != nil {
		return "", err
	}
	where := cfg.Kafka.Prefix + "raw.*"
	switch {
	case made >= len(event.TopicNames):
		return fmt.Sprintf("the topics %s were not there and have just been created: no collector reads them yet; is --kafka-prefix right?", where), nil
	case !collected(ctx, adm, cfg):
		return fmt.Sprintf("no collector reads %s: is --kafka-prefix right?", where), nil
	}
	return "", nil
}

// collected says whether a collector is at work on a raw topic, or was. Who may not ask does not doubt.
func collected(ctx context.Context, adm *kadm.Client, cfg *config.Config) bool {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	for t := range event.TopicNames {
		group := service.RawGroup(cfg, event.Topic(t))
		committed, err := service.Committed(ctx, adm, group)
		if len(committed.Offsets()) > 0 || err != nil && !errors.Is(err, kerr.GroupIDNotFound) {
			return true
		}
		groups, err := adm.DescribeGroups(ctx, group) // one that has just started has members and no offsets
		if len(groups[group].Members) > 0 || err != nil {
			return true
		}
	}
	return false
}
