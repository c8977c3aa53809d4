package clickhouse

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/google/uuid"
	"go.uber.org/zap"
)

// RollerConfig says how often and how far the roller works.
type RollerConfig struct {
	// Every is the time between two cycles.
	Every time.Duration
	// FoldDelay is how long a closed partial stays before it is folded: long enough that its last correction has come.
	FoldDelay time.Duration
	// Lookback is how far back every Sweep looks for rows that no cycle has seen; a start looks as far before what is taken for sure, see resumeFrom.
	Lookback time.Duration
	Sweep    time.Duration
	// ChunkRows bounds the rows that one statement works on.
	ChunkRows int
}

// DefaultRollerConfig is what production runs with.
func DefaultRollerConfig() RollerConfig {
	return RollerConfig{
		Every: 10 * time.Second, FoldDelay: 15 * time.Minute,
		Lookback: time.Hour, Sweep: 15 * time.Minute, ChunkRows: 100_000,
	}
}

// slack is how much later than its inserted_at a row may become visible without being missed by the next cycle.
const slack = 60 * time.Second

// Roller folds closed partials and takes the peaks of `online`. One runs, by the owner of partition 0 of `events`; a second one for a
// while changes nothing: what it writes has the same content or a lower version. It is owned by one goroutine.
type Roller struct {
	s     *Sink
	epoch uint16
	cfg   RollerConfig
	log   *zap.Logger

	peaked  time.Time // rows inserted before this are in the peaks
	resumed bool      // peaked holds for rows of any age: a cycle has gone back to where the roller before stopped
	folded  time.Time // closed rows inserted before this are folded
	sweptAt time.Time
}

// NewRoller makes a roller of one epoch.
func NewRoller(s *Sink, epoch uint16, cfg RollerConfig) (*Roller, error) {
	if cfg.Every <= 0 || cfg.ChunkRows <= 0 || cfg.Lookback < 0 || cfg.FoldDelay < 0 {
		return nil, fmt.Errorf("clickhouse: roller: every %s and chunk rows %d must be positive, lookback %s and fold delay %s not negative", cfg.Every, cfg.ChunkRows, cfg.Lookback, cfg.FoldDelay)
	}
	return &Roller{s: s, epoch: epoch, cfg: cfg, log: s.log}, nil
}

// Run rolls until ctx is done. A cycle that fails is repeated by the next: the cursor moves on success only.
//
// A cycle that takes long because much was written at once is followed by a longer pause: rolling is never urgent, and the longer it waits,
// the more rows a cycle takes in for one reading of what is there.
func (r *Roller) Run(ctx context.Context) error {
	timer := time.NewTimer(r.cfg.Every)
	defer timer.Stop()
	defer r.s.m.shown.Set(math.NaN()) // another process knows
	for tells := (rollTells{}); ; {
		began := time.Now()
		if err := r.RollOnce(ctx); err == nil {
			tells = rollTells{}
		} else if tells.failed++; ctx.Err() == nil && tells.due(time.Now()) {
			r.log.Warn("roller cycle failed, the next one repeats it", zap.Error(err), zap.Int("failed_in_a_row", tells.failed))
		}
		took := time.Since(began)
		timer.Reset(max(r.cfg.Every-took, min(rollRest*took, maxRollRest)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// rollTells spaces the lines about cycles that fail: an outage is not news with each.
type rollTells struct {
	failed int
	next   time.Time
	pause  time.Duration
}

func (t *rollTells) due(now time.Time) bool {
	if now.Before(t.next) {
		return false
	}
	t.pause = min(max(4*t.pause, 15*time.Second), 16*time.Minute)
	t.next = now.Add(t.pause)
	return true
}

// rollRest times as long as it worked a roller rests at least, so that it takes a tenth of one thread at most; but never longer than maxRollRest,
// which bounds how old the peaks of online may be.
const (
	rollRest    = 9
	maxRollRest = 30 * time.Second
)

// RollOnce takes in what was inserted since the last cycle.
func (r *Roller) RollOnce(ctx context.Context) error {
	if err := r.checkShown(ctx); err != nil {
		return err
	}
	now, err := r.serverTime(ctx)
	if err != nil {
		return err
	}
	sweep, taken := r.sweepDue(now), time.Time{}
	if sweep {
		taken = now
		r.peaked = earlier(r.peaked, now.Add(-r.cfg.Lookback))
		r.folded = earlier(r.folded, now.Add(-r.cfg.Lookback-r.cfg.FoldDelay))
	}
	if err := r.peaks(ctx, r.peaked.Add(-slack), !r.resumed, taken); err != nil {
		return err
	}
	r.peaked, r.resumed = now, true
	if sweep { // one that failed is repeated, and with it what it writes down
		r.sweptAt = now
	}
	until := now.Add(-r.cfg.FoldDelay)
	if err := r.fold(ctx, r.folded.Add(-slack), until); err != nil {
		return err
	}
	r.folded = until
	return nil
}

// sweepDue is true at a start, every Sweep, and when the server's clock was set back: rows inserted since then seem older than what is done.
func (r *Roller) sweepDue(now time.Time) bool {
	return r.sweptAt.IsZero() || now.Before(r.sweptAt) || now.Sub(r.sweptAt) >= r.cfg.Sweep
}

// checkShown tells when another log has taken the database over.
func (r *Roller) checkShown(ctx context.Context) error {
	all, err := r.s.epochs(ctx)
	if err != nil {
		return err
	}
	r.s.m.shown.Set(1)
	if all.shown != r.epoch || r.s.logID != uuid.Nil && all.shownID != r.s.logID { // two that began at the same moment may have one number
		r.s.m.shown.Set(0)
		r.log.Error("the views show the numbers of another log: what is written here is not seen. Start that pipeline on a database of its own, and this one once with --clickhouse-take-over",
			zap.String("database", r.s.cfg.Database), zap.Uint16("epoch", r.epoch), zap.Uint16("shown_epoch", all.shown), zap.Stringer("shown_topic_id", all.shownID))
	}
	return nil
}

// RollAll takes in everything there is, whatever its age: after a drain, before tables are compared.
func (r *Roller) RollAll(ctx context.Context) error {
	now, err := r.serverTime(ctx)
	if err != nil {
		return err
	}
	if err := r.peaks(ctx, time.Unix(0, 0), false, time.Time{}); err != nil {
		return err
	}
	return r.fold(ctx, time.Unix(0, 0), now.Add(-r.cfg.FoldDelay))
}

// earlier is b where a is not set or later.
func earlier(a, b time.Time) time.Time {
	if !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// serverTime is the clock that inserted_at is taken from.
func (r *Roller) serverTime(ctx context.Context) (time.Time, error) {
	var now uint32
	if err := r.s.conn.QueryRow(ctx, "SELECT toUnixTimestamp(now())").Scan(&now); err != nil {
		return time.Time{}, fmt.Errorf("clickhouse: roller: time: %w", r.s.cause(err))
	}
	return time.Unix(int64(now), 0), nil
}

// rollSettings make one INSERT SELECT one block of one thread: in one partition it becomes visible whole or not at all.
var rollSettings = ch.Settings{
	"max_threads":                                 1,
	"max_insert_threads":                          1,
	"min_insert_block_size_rows":                  1_000_000_000,
	"min_insert_block_size_bytes":                 0,
	"optimize_on_insert":                          0,
	"async_insert":                                0,
	"insert_deduplicate":                          0,
	"do_not_merge_across_partitions_select_final": 1,
}

func (r *Roller) statement(ctx context.Context, step, sql string) error {
	start := time.Now()
	if err := r.s.conn.Exec(ch.Context(ctx, ch.WithSettings(rollSettings)), sql); err != nil {
		return fmt.Errorf("clickhouse: roller: %s: %w", step, r.s.cause(err))
	}
	r.s.m.rollSeconds.WithLabelValues(step).Observe(time.Since(start).Seconds())
	return nil
}

func qualified(names []string) string { return "r." + strings.Join(names, ", r.") }

// fill puts values in the place of {names}. What they hold is not looked at again.
func fill(text string, values map[string]any) string {
	var pairs []string
	for name, v := range values {
		pairs = append(pairs, "{"+name+"}", fmt.Sprint(v))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// chunkOf is the condition for piece i of n of all keys. All rows of a key are in the same piece.
func chunkOf(room string, i, n uint64) string {
	if n <= 1 {
		return "1"
	}
	return fmt.Sprintf("cityHash64(%s) %% %d = %d", room, n, i)
}
