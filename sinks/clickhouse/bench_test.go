package clickhouse_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/sinks/clickhouse"
	"github.com/livemeter/livemeter/sinks/conformance"
)

// cpu is what the process used: here engine, HTTP and client are one.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// realistic are n rows as a flush makes them: 5000 rooms, eight partitions, most measures zero, versions that rise with round. Minutes come
// with panes as far as they have got; with mixed, a third of the rows are hours.
func realistic(n, round int, mixed bool) *rollup.Cells {
	rng := rand.New(rand.NewPCG(uint64(round), 1))
	c := &rollup.Cells{Cube: measure.Room, Values: make([][]int64, len(measure.RowColumns[measure.Room]))}
	for i := range n {
		g, w := measure.Grain1m, conformance.Start+int64(round)*minute
		if mixed && i%3 == 0 {
			g = measure.Grain1h
			w -= w % hour
		}
		room := rng.IntN(5000)
		c.Grain = append(c.Grain, uint8(g))
		c.Platform = append(c.Platform, []string{"douyin", "kuaishou", "taobao"}[room%3])
		c.Room = append(c.Room, fmt.Sprintf("r_%05d", room))
		c.Session = append(c.Session, fmt.Sprintf("ls_%05d_20261122", room))
		c.Window = append(c.Window, w)
		c.Part = append(c.Part, uint16(i%8))
		c.Gen = append(c.Gen, uint64(round*1000+i%100))
		c.Version = append(c.Version, uint64(round*2000+i%100))
		c.State = append(c.State, 0)
		c.First = append(c.First, w+int64(rng.IntN(10_000)))
		c.Updated = append(c.Updated, w+int64(rng.IntN(10_000)))
		for m := range c.Values {
			if v := sparse(rng, m); v != 0 {
				c.Set(m, v)
			}
		}
		c.SetRun(rollup.Run{w, w + hour, 0})
		if g == measure.Grain1h {
			continue
		}
		for pane := range 1 + rng.IntN(measure.PanesPerMinute) {
			for m := range measure.Columns[measure.Room] {
				if v := sparse(rng, m); v != 0 {
					c.SetPane(measure.PaneAt(pane, measure.Slot(m)), v)
				}
			}
			c.SetPane(measure.PaneAt(pane, measure.PaneUpdated), w+int64(pane)*10_000+int64(rng.IntN(10_000)))
		}
	}
	return c
}

// sparse is a value of measure m: of the first five one in two is not 0, of the others one in forty.
func sparse(rng *rand.Rand, m int) int64 {
	if m < 5 && rng.IntN(2) == 0 || rng.IntN(40) == 0 {
		return int64(rng.IntN(300))
	}
	return 0
}

func writeLoop(b *testing.B, s *clickhouse.Sink, epoch uint16, n int, mixed bool) {
	cells := make([]*rollup.Cells, 8)
	for i := range cells {
		cells[i] = realistic(n, i, mixed)
	}
	b.ResetTimer()
	before := cpu()
	for i := range b.N {
		if err := s.Write(context.Background(), &rollup.Batch{Epoch: epoch, Cells: cells[i%len(cells) : i%len(cells)+1]}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N)/float64(n)/1000, "µs-cpu/row")
}

func BenchmarkWrite(b *testing.B) {
	for _, n := range []int{1000, 5000, 20_000, 100_000} {
		for _, mixed := range []bool{false, true} {
			b.Run(fmt.Sprintf("rows=%d/mixed=%v", n, mixed), func(b *testing.B) {
				e := open(b)
				e.query("SYSTEM STOP MERGES $db.room_rows")
				writeLoop(b, e.Sink, e.epoch, n, mixed)
			})
		}
	}
}

// BenchmarkWriteWithMerges waits for the merges too: the whole cost of a row in the store.
func BenchmarkWriteWithMerges(b *testing.B) {
	e := open(b)
	const n, inserts = 20_000, 20
	before, rows := cpu(), 0
	for i := range b.N {
		for j := range inserts {
			if err := e.Write(context.Background(), &rollup.Batch{Epoch: e.epoch, Cells: []*rollup.Cells{realistic(n, i*inserts+j, true)}}); err != nil {
				b.Fatal(err)
			}
			rows += n
		}
		for e.number("SELECT count() FROM system.merges WHERE database = '$db'") > 0 {
			e.query("SELECT sleep(0.05) FORMAT Null")
		}
	}
	made := cpu()
	for i := range inserts {
		realistic(n, i, true)
	}
	generate := float64((cpu() - made).Nanoseconds()) / inserts / n
	b.ReportMetric((float64((cpu()-before).Nanoseconds())/float64(rows)-generate)/1000, "µs-cpu/row")
}

// BenchmarkClient is our side alone: the server throws the block away.
func BenchmarkClient(b *testing.B) {
	e := open(b)
	engine := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: e.addr})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Query().Get("query"), "INSERT") {
			_, _ = io.Copy(io.Discard, r.Body)
			return
		}
		engine.ServeHTTP(w, r)
	}))
	defer srv.Close()
	cfg := e.cfg
	cfg.Addr = []string{strings.TrimPrefix(srv.URL, "http://")}
	b.Run("rows=20000", func(b *testing.B) {
		s, err := clickhouse.New(cfg, nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		b.ReportAllocs()
		writeLoop(b, s, 1, 20_000, true)
	})
}

func BenchmarkFold(b *testing.B) {
	panes := []pane{{Value: 1, Online: 5}, {Pane: 2, Value: 3}, {Pane: 3, Value: 4, Online: 6}, {Pane: 5, Value: 9, Online: 7}}
	b.Run("minutes", func(b *testing.B) { foldLoop(b, row{Grain: measure.Grain1m, Panes: panes}) })
	b.Run("hours", func(b *testing.B) { foldLoop(b, row{Grain: measure.Grain1h}) })
}

func foldLoop(b *testing.B, like row) {
	for range b.N {
		b.StopTimer()
		e := open(b)
		var rows []row
		const keys, parts = 10_000, 4
		for i := range keys * parts {
			like.Room, like.Window, like.Part, like.Gen, like.Version, like.State, like.Value = fmt.Sprint("r", i/parts), start, uint16(i%parts), 1, 9, closed, 1
			rows = append(rows, like)
		}
		e.write(rows...)
		r := e.roller()
		before := cpu()
		b.StartTimer()
		if err := r.RollOnce(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64((cpu()-before).Microseconds())/keys/parts, "µs-cpu/partial")
	}
}

// BenchmarkQuery is what an analyst's view costs where little is read: of each grain, one room.
func BenchmarkQuery(b *testing.B) {
	e := open(b)
	e.watermark(start)
	for i := range 4 {
		if err := e.Write(context.Background(), &rollup.Batch{Epoch: e.epoch, Cells: []*rollup.Cells{realistic(20_000, i, true)}}); err != nil {
			b.Fatal(err)
		}
	}
	for g := measure.Grain10s; g < measure.NumGrains; g++ {
		for _, columns := range []string{"events, viewers, online, status", "*"} {
			b.Run(measure.GrainNames[g]+"/"+columns[:1], func(b *testing.B) {
				for range b.N {
					e.query("SELECT %s FROM $db.room_measures WHERE grain = '%s' AND platform = 'douyin' AND room_id = 'r_00042' FORMAT Null", columns, measure.GrainNames[g])
				}
			})
		}
	}
}
