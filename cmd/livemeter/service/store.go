package service

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/pipeline/runtime"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// changelogs hold the state of the readers that write rows, by their groups.
var changelogs = map[string]string{GroupRun: runtime.ChangelogRun, GroupAggregator: runtime.ChangelogAggregator}

// Store is ClickHouse, ready to take the rows of this log.
type Store struct {
	*clickhouse.Sink
	Epoch    uint16
	id       [16]byte
	takeOver bool
	roller   *clickhouse.Roller
	mu       sync.Mutex
	owned    bool
	change   chan struct{} // closed when owned changes
}

// Store waits for ClickHouse, creates what is missing there and asks for the epoch of the log. It takes the rows of a reader: GroupRun or
// GroupAggregator. Close it last.
func (p *Process) Store(ctx context.Context, reader string) (*Store, error) {
	sink, err := OpenStore(p.Config, p.Log.Named("clickhouse"), p.registry)
	if err != nil {
		return nil, err
	}
	s := &Store{Sink: sink, takeOver: p.Config.ClickHouse.TakeOver, change: make(chan struct{})}
	if err := s.prepare(ctx, p, reader); err != nil {
		sink.Close()
		return nil, err
	}
	return s, nil
}

// schemaTimeout bounds one attempt at making the schema; a busy server takes seconds.
const schemaTimeout = time.Minute

func (s *Store) prepare(ctx context.Context, p *Process, reader string) error {
	if err := p.await(ctx, "clickhouse", answerTimeout, func(ctx context.Context) error { return Tell(p.Config, s.Ping(ctx)) }); err != nil {
		return err
	}
	if err := s.check(ctx, p, reader); err != nil {
		return err
	}
	if err := p.await(ctx, "schema", schemaTimeout, func(ctx context.Context) error { return s.enter(ctx, p) }); err != nil {
		return err
	}
	var err error
	s.roller, err = clickhouse.NewRoller(s.Sink, s.Epoch, clickhouse.DefaultRollerConfig())
	return err
}

// enter makes the schema and enters the log there. What it has done it finds done when it is called again.
func (s *Store) enter(ctx context.Context, p *Process) error {
	id, err := eventsTopicID(ctx, p.Config)
	if err != nil {
		return err
	}
	return Tell(p.Config, s.enterLog(ctx, id, p.Config.Events.Partitions))
}

func (s *Store) enterLog(ctx context.Context, id [16]byte, partitions int) (err error) {
	if err := s.CheckEpoch(ctx, id); err != nil {
		return err
	}
	if _, err := s.Apply(ctx); err != nil {
		return err
	}
	if s.Epoch, err = s.EnsureEpoch(ctx, id, partitions); err != nil {
		return err
	}
	s.id, err = s.ID(ctx)
	return err
}

// check asks what must hold before anything is changed in ClickHouse; a broker that has just started may not know its leaders.
func (s *Store) check(ctx context.Context, p *Process, reader string) error {
	return p.await(ctx, "settings of the log", answerTimeout, func(ctx context.Context) error {
		if err := CheckZone(ctx, p.Config); err != nil || s.takeOver {
			return err
		}
		id, err := s.ID(ctx)
		if err != nil {
			return Tell(p.Config, err)
		}
		c := p.Config.Kafka
		adm, err := newAdmin(p.Config)
		if err != nil {
			return err
		}
		defer adm.Close()
		return runtime.CheckStore(ctx, adm, c.Prefix+reader, c.Prefix+changelogs[reader], id)
	})
}

func (s *Store) stored(ctx context.Context, partition int32) (offset int64, err error) {
	return s.Sink.Stored(ctx, s.Epoch, partition)
}

// feed makes a reader write here, and its owner of partition 0 run the roller.
func (s *Store) feed(cfg runtime.ReaderConfig) runtime.ReaderConfig {
	cfg.Sink, cfg.Epoch, cfg.StoreID, cfg.TakeStore = s.Sink, s.Epoch, s.id, s.takeOver
	cfg.Stored = s.stored
	cfg.OnOwned = func(partitions []int32) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if owned := slices.Contains(partitions, 0); owned != s.owned {
			s.owned = owned
			close(s.change)
			s.change = make(chan struct{})
		}
	}
	return cfg
}

// Roller folds closed partials while this process owns partition 0.
func (s *Store) Roller() Stage {
	return Stage{"roller", func(ctx context.Context) error {
		for ctx.Err() == nil {
			s.mu.Lock()
			owned, change := s.owned, s.change
			s.mu.Unlock()
			if owned {
				if err := s.roll(ctx, change); err != nil {
					return err
				}
			}
			select {
			case <-ctx.Done():
			case <-change:
			}
		}
		return nil
	}}
}

// roll works until partition 0 is someone else's.
func (s *Store) roll(ctx context.Context, change <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-change:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := s.roller.Run(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

// RollAll folds everything there is, with a roller of its own: before tables are compared.
func (s *Store) RollAll(ctx context.Context) error {
	r, err := clickhouse.NewRoller(s.Sink, s.Epoch, clickhouse.DefaultRollerConfig())
	if err != nil {
		return err
	}
	return r.RollAll(ctx)
}

// RollAll folds everything in a store whose pipeline is at work, as Store.RollAll does for who is that pipeline.
func RollAll(ctx context.Context, c *config.Config, sink *clickhouse.Sink) error {
	id, err := eventsTopicID(ctx, c)
	if err != nil {
		return err
	}
	s := &Store{Sink: sink}
	if s.Epoch, err = sink.EnsureEpoch(ctx, id, c.Events.Partitions); err != nil {
		return Tell(c, err)
	}
	return Tell(c, s.RollAll(ctx))
}
