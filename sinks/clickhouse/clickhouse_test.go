package clickhouse_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
	"github.com/livemeter/livemeter/sinks/conformance"
)

var rewrite = flag.Bool("rewrite", false, "rewrite schemas/clickhouse from the code")

func TestConformance(t *testing.T) {
	conformance.Run(t, func(t *testing.T) (conformance.Store, uint16) {
		e := open(t)
		return conformance.Store{
			Sink: e,
			Sum: func(t testing.TB, room string) int64 {
				return e.number("SELECT sum(events) FROM $db.room_measures WHERE room_id = '%s' AND grain IN ('1m', '1h')", room)
			},
			Panes: func(t testing.TB, room string) int64 {
				return e.number("SELECT sum(events) FROM $db.room_measures WHERE room_id = '%s' AND grain = '10s'", room)
			},
			Records: func(t testing.TB, topic string) int64 {
				return e.number("SELECT sum(records) FROM $db.outcomes WHERE source_topic = '%s'", topic)
			},
			Numbers: func(t testing.TB, version string) (expected, received, late int64) {
				got := e.query("SELECT sum(expected), sum(received), sum(late) FROM $db.completeness WHERE sdk_version = '%s' HAVING sum(missing) = sum(expected) - sum(received)", version)
				if _, err := fmt.Sscan(got, &expected, &received, &late); err != nil {
					t.Fatal(err)
				}
				return expected, received, late
			},
			Order: func(t testing.TB, id string) (state string, refund int64) {
				_, err := fmt.Sscan(e.query("SELECT state, refund_minor FROM $db.orders WHERE order_id = '%s'", id), &state, &refund)
				if err != nil {
					t.Fatal(err)
				}
				return state, refund
			},
			Watermark: func(t testing.TB, part uint16) int64 {
				return e.number("SELECT toUnixTimestamp64Milli(watermark) FROM $db.watermarks WHERE part = %d", part)
			},
		}, e.epoch
	})
}

func TestApplyIsIdempotentAndAddsWhatIsMissing(t *testing.T) {
	e := open(t)
	e.write(conformance.Row{Room: "r", Window: conformance.Start, Value: 4})
	before := e.query("SELECT name, uuid, comment FROM system.tables WHERE database = '$db' ORDER BY name")
	if _, err := e.Apply(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after := e.query("SELECT name, uuid, comment FROM system.tables WHERE database = '$db' ORDER BY name"); after != before {
		t.Errorf("a second Apply changed tables:\n%s\nbefore:\n%s", after, before)
	}
	e.query("ALTER TABLE $db.room_rows DROP COLUMN views")
	e.query("ALTER TABLE $db.room_rows DROP COLUMN pane_value")
	e.query("DROP TABLE $db.orders_rows SYNC")
	err := e.Write(context.Background(), &rollup.Batch{Epoch: e.epoch, Cells: []*rollup.Cells{conformance.Cells(conformance.Row{Room: "r", Window: conformance.Start, More: map[string]int64{"views": 1}})}})
	if err == nil || !strings.Contains(err.Error(), "schema apply") {
		t.Errorf("a missing column gave %v; want an error at once that names `schema apply`", err)
	}
	if _, err := e.Apply(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := e.query("SELECT events, views FROM $db.room_measures"); got != "4\t0" {
		t.Errorf("after the column came back: %q", got)
	}
}

func TestRetentionFollowsTheConfiguration(t *testing.T) {
	e := open(t)
	cfg := e.cfg
	cfg.TTLDays = []int{3, 4, 5, 6, 7}
	s, err := clickhouse.New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Apply(context.Background()); err != nil {
		t.Fatal(err)
	}
	show := func() string {
		return e.query("SELECT create_table_query FROM system.tables WHERE database = '$db' AND name IN ('room_rows', 'orders_rows')")
	}
	ddl := show()
	// Panes and minutes by their own; hours, sessions' and days' alike, by the longest of the three.
	for _, want := range []string{"TTL toDate(window_start) + toIntervalDay(4)", "toDate(window_start) + toIntervalDay(5)", "toIntervalMonth(1)) + toIntervalDay(8)) SETTINGS"} {
		if !strings.Contains(ddl, want) {
			t.Errorf("%s is not in a TTL: %s", want, ddl)
		}
	}
	if _, err := e.Apply(context.Background()); err != nil { // for ever again
		t.Fatal(err)
	}
	if ddl := show(); strings.Contains(ddl, "toIntervalDay") {
		t.Errorf("rows still expire: %s", ddl)
	}
}

// A database shows one log's numbers, and another's only when told so; then what is there of the former stays, and can be shown again.
func TestEpochs(t *testing.T) {
	e := open(t)
	taker := openAgain(t, e, func(c *clickhouse.Config) { c.TakeOver = true })
	ctx := context.Background()
	e.write(conformance.Row{Room: "r", Window: conformance.Start, Value: 4})
	for i, step := range []struct {
		sink  *clickhouse.Sink
		id    byte
		epoch uint16 // 0: refused
		rows  int64
	}{{e.Sink, 1, 1, 1}, {e.Sink, 2, 0, 1}, {taker, 2, 2, 0}, {e.Sink, 2, 2, 0}, {e.Sink, 1, 0, 0}, {taker, 1, 1, 1}, {e.Sink, 2, 0, 1}, {taker, 2, 2, 0}} {
		var other *clickhouse.OtherLogError
		got, err := step.sink.EnsureEpoch(ctx, [16]byte{step.id}, 1)
		if step.epoch == 0 && !errors.As(err, &other) || step.epoch != 0 && err != nil || got != step.epoch {
			t.Fatalf("step %d: epoch %d, %v; want %d", i, got, err, step.epoch)
		}
		if got := step.sink.CheckEpoch(ctx, [16]byte{step.id}); (got == nil) != (step.epoch != 0) {
			t.Errorf("step %d: the check says %v", i, got)
		}
		if got := e.number("SELECT count() FROM $db.room_measures WHERE grain = '1m'"); got != step.rows {
			t.Errorf("step %d: %d rows are shown, want %d", i, got, step.rows)
		}
	}
	empty := openAgain(t, e, func(c *clickhouse.Config) { c.Database += "_not_there" })
	if err := empty.CheckEpoch(ctx, [16]byte{7}); err != nil {
		t.Errorf("a database that is not there: %v", err)
	}
}

func openAgain(t *testing.T, e *engine, change func(*clickhouse.Config)) *clickhouse.Sink {
	t.Helper()
	cfg := e.cfg
	change(&cfg)
	s, err := clickhouse.New(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestEveryColumnHasAComment(t *testing.T) {
	e := open(t)
	if got := e.query("SELECT table, name FROM system.columns WHERE database = '$db' AND comment = ''"); got != "" {
		t.Errorf("without a comment:\n%s", got)
	}
	if got := e.query("SELECT groupArray(name) FROM (SELECT name FROM system.columns WHERE database = '$db' AND table = 'room_money' ORDER BY position)"); got !=
		"['grain','window_start','platform','room_id','live_session_id','currency','status','updated_at','gift_minor','gmv_created_minor','deposit_minor','gmv_paid_minor','refund_minor','refund_minor_by_order','settled_minor','net_minor']" {
		t.Errorf("columns of room_money: %s", got)
	}
}

// The checked-in DDL is what the code makes; run with -rewrite after a change.
func TestSchemaFiles(t *testing.T) {
	files := map[string][]string{
		"schema.sql": clickhouse.DDL(clickhouse.Config{}),
		"roles.sql":  clickhouse.RolesDDL(clickhouse.Config{}),
	}
	for name, statements := range files {
		path := filepath.Join("..", "..", "schemas", "clickhouse", name)
		want := "-- Generated from sinks/clickhouse: go test ./sinks/clickhouse -run TestSchemaFiles -rewrite\n\n" + strings.Join(statements, ";\n\n") + ";\n"
		if *rewrite {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is stale: go test ./sinks/clickhouse -run TestSchemaFiles -rewrite", path)
		}
	}
}

func TestAllCubesAreWrittenAndRead(t *testing.T) {
	e := open(t)
	b := &rollup.Batch{Epoch: e.epoch}
	for cube := measure.Cube(0); cube < measure.NumCubes; cube++ {
		b.Cells = append(b.Cells, everyMeasure(cube))
	}
	if err := e.Write(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	for cube := measure.Cube(0); cube < measure.NumCubes; cube++ {
		for g := measure.Grain10s; g < measure.NumGrains; g++ {
			var names, want []string
			for _, m := range measure.Columns[cube] {
				value := 2 * valueOf(cube, m.SlotAt(g))
				if m.Name == "online" && g != measure.Grain10s { // nobody has taken peaks
					value = 0
				}
				names, want = append(names, m.Name), append(want, fmt.Sprint(m.Name, "=", value))
			}
			got := strings.Split(e.query("SELECT %s FROM $db.%s WHERE grain = '%s'", strings.Join(names, ", "), measure.CubeTables[cube], measure.GrainNames[g]), "\t")
			for i := range got {
				got[i] = names[min(i, len(names)-1)] + "=" + got[i]
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s of %s: %v, want %v", measure.CubeTables[cube], measure.GrainNames[g], got, want)
			}
		}
		for i, k := range measure.SubKeys[cube] {
			if got, want := e.query("SELECT DISTINCT %s FROM $db.%s", k, measure.CubeTables[cube]), fmt.Sprint("sub", i); got != want {
				t.Errorf("%s.%s is %q, want %q", measure.CubeTables[cube], k, got, want)
			}
		}
	}
	if got := e.query("SELECT count(), countIf(net_minor = gmv_paid_minor - refund_minor_by_order AND gmv_paid_minor != 0) FROM $db.sku_money"); got != "5\t5" {
		t.Errorf("net_minor: %s", got)
	}
}

// Values travel in the narrowest type of their block: none may be cut.
func TestValuesOfAnySize(t *testing.T) {
	e := open(t)
	for i, values := range [][]int64{{0, 0}, {1, 255}, {-1, 256}, {-32_768, 32_767}, {-32_769, 0}, {1 << 31, -1 << 31}, {1<<62 - 1, -1 << 62}} {
		room := fmt.Sprint("r", i)
		e.write(conformance.Row{Room: room, Window: conformance.Start, Version: 1, Value: values[0], More: map[string]int64{"views": values[1]},
			Panes: []conformance.Pane{{Value: values[0]}, {Pane: 5, Value: values[1]}}})
		if got, want := e.query("SELECT events, views FROM $db.room_measures WHERE room_id = '%s' AND grain = '1m'", room), fmt.Sprintf("%d\t%d", values[0], values[1]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := e.query("SELECT events FROM $db.room_measures WHERE room_id = '%s' AND grain = '10s' ORDER BY window_start", room), fmt.Sprintf("%d\n%d", values[0], values[1]); got != want {
			t.Errorf("panes hold %s, want %s", got, want)
		}
	}
}

func valueOf(c measure.Cube, s measure.Slot) int { return 1000*int(c) + int(s) + 1 }

// everyMeasure is a minute and its hour in two partials, each measure with a value that names its slot.
func everyMeasure(cube measure.Cube) *rollup.Cells {
	c := &rollup.Cells{Cube: cube, Values: make([][]int64, len(measure.RowColumns[cube]))}
	h := conformance.Start - conformance.Start%3_600_000
	for i := range 4 {
		grain := []measure.Grain{measure.Grain1m, measure.Grain1h}[i/2]
		c.Grain = append(c.Grain, uint8(grain))
		c.Platform, c.Room, c.Session, c.Window = append(c.Platform, "p"), append(c.Room, "r"), append(c.Session, "s"), append(c.Window, h)
		c.Part, c.Gen, c.Version, c.State = append(c.Part, uint16(i%2)), append(c.Gen, 0), append(c.Version, uint64(5+i)), append(c.State, 0)
		c.First, c.Updated = append(c.First, h), append(c.Updated, h+int64(i))
		for k := range measure.SubKeys[cube] {
			c.Sub[k] = append(c.Sub[k], fmt.Sprint("sub", k))
		}
		for column, m := range measure.RowColumns[cube] {
			if slot := []measure.Slot{m.Minute, m.Hour}[i/2]; slot != measure.NoSlot {
				c.Set(column, int64(valueOf(cube, slot)))
			}
		}
		if grain == measure.Grain1m {
			measured := map[measure.Slot]bool{}
			for _, m := range measure.Columns[cube] {
				measured[m.SlotAt(measure.Grain10s)] = true
			}
			for _, slot := range slices.Sorted(maps.Keys(measured)) {
				c.SetPane(measure.PaneAt(3, slot), int64(valueOf(cube, slot)))
			}
			c.SetPane(measure.PaneAt(3, measure.PaneUpdated), h)
		}
	}
	return c
}
