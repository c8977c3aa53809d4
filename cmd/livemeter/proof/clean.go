package proof

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
)

const (
	cleanLimit = time.Minute            // for all of a cleaning: groups whose members were killed last for their session, 10 s
	cleanEvery = 500 * time.Millisecond // between looks
)

var idSyntax = regexp.MustCompile(`^[0-9a-f]{8}$`)

// Remove removes what a proof has left that was killed or told to keep it, the workers' logs on this machine included.
func Remove(ctx context.Context, user *config.Config, id string, say func(string)) error {
	if !idSyntax.MatchString(id) {
		return fmt.Errorf("%q names no proof: want the eight letters and digits of %sID", id, databases)
	}
	p, err := openPlace(ctx, user, id)
	if err != nil {
		return err
	}
	f, err := p.look(ctx)
	switch {
	case err != nil:
	case f.empty():
		say("nothing is there of " + p.names())
	default:
		if err = p.clean(ctx); err == nil {
			say("removed: " + f.String())
		}
	}
	return errors.Join(err, os.RemoveAll(directory(id)), p.close())
}

// clean removes all that is there of the place, looks again, and says what remains. Nobody may be at work there any more.
func (p *place) clean(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, cleanLimit)
	defer cancel()
	again := time.NewTicker(cleanEvery)
	defer again.Stop()
	p.endTransactions(ctx)
	for {
		f, err := p.look(ctx)
		if err == nil && f.empty() {
			return nil
		}
		if err == nil {
			err = p.remove(ctx, f)
		}
		select {
		case <-ctx.Done():
			if rest, lookErr := p.look(context.WithoutCancel(ctx)); lookErr == nil {
				f = rest
			}
			return errors.Join(fmt.Errorf("of %s remain: %s", p.names(), f), err)
		case <-again.C:
		}
	}
}

// remove asks for all of it once. What does not go at once the next look finds.
func (p *place) remove(ctx context.Context, f found) error {
	errs := []error{p.empty(ctx, f.groups)}
	groups, err := p.adm.DeleteGroups(ctx, f.groups...)
	errs = append(errs, err)
	for _, g := range groups {
		if g.Err != nil && !errors.Is(g.Err, kerr.GroupIDNotFound) {
			errs = append(errs, fmt.Errorf("delete group %s: %w", g.Group, g.Err))
		}
	}
	topics, err := p.adm.DeleteTopics(ctx, f.topics...)
	errs = append(errs, err)
	for _, t := range topics {
		if t.Err != nil && !errors.Is(t.Err, kerr.UnknownTopicOrPartition) {
			errs = append(errs, fmt.Errorf("delete topic %s: %w", t.Topic, t.Err))
		}
	}
	if f.database {
		if err := p.sink.Conn().Exec(ctx, "DROP DATABASE IF EXISTS "+p.cfg.ClickHouse.Database+" SYNC"); err != nil {
			errs = append(errs, service.StoreError(p.cfg, err))
		}
	}
	return errors.Join(errs...)
}

// empty puts the static members out of groups, who do not leave by themselves. Others have left, or do when their session is over.
func (p *place) empty(ctx context.Context, groups []string) error {
	if len(groups) == 0 {
		return nil // it would ask of all groups of the cluster
	}
	described, err := p.adm.DescribeGroups(ctx, groups...)
	if err != nil {
		return fmt.Errorf("ask for the members of groups: %w", err)
	}
	for _, g := range described {
		for _, m := range g.Members {
			if m.InstanceID != nil {
				_, err = p.adm.LeaveGroup(ctx, kadm.LeaveGroup(g.Group).InstanceIDs(*m.InstanceID))
			}
			if err != nil {
				return fmt.Errorf("empty group %s: %w", g.Group, err)
			}
		}
	}
	return nil
}

// endTransactions aborts what a killed worker has left open, else it would hold up readers of Kafka's own topic of offsets until it times out. The names
// themselves nobody can remove: Kafka forgets them (transactional.id.expiration.ms, a week by default). It does what it can.
func (p *place) endTransactions(ctx context.Context) {
	open, err := p.adm.ListTransactions(ctx, nil, []string{"Ongoing"})
	if err != nil {
		return // who may not ask leaves it to the time-out
	}
	ids := slices.DeleteFunc(open.TransactionalIDs(), func(id string) bool { return !strings.HasPrefix(id, p.cfg.Kafka.Prefix) || open[id].State != "Ongoing" })
	opts, err := service.KafkaOpts(p.cfg.Kafka)
	if err != nil {
		return
	}
	for _, id := range ids {
		client, err := kgo.NewClient(append(opts[:len(opts):len(opts)], kgo.SeedBrokers(p.cfg.Kafka.Brokers...), kgo.TransactionalID(id))...)
		if err != nil {
			return
		}
		_, _, _ = client.ProducerID(ctx) // who takes a name over aborts what it has open
		client.Close()
	}
}
