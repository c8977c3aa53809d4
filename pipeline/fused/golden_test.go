package fused

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
	"github.com/livemeter/livemeter/pipeline/measure"
	"github.com/livemeter/livemeter/pipeline/rollup"
	"github.com/livemeter/livemeter/pipeline/runtime"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// Each file of testdata is a list of events in a small language, a line `---`, and the rows that the store holds afterwards.
// Times are seconds after 2026-11-24 12:00 in Shanghai.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		in, want, _ := strings.Cut(string(raw), "\n---\n")
		for _, flush := range []int{1, 3, 1000} {
			for _, restart := range []int{0, 2} {
				t.Run(fmt.Sprintf("%s/flush=%d/restart=%d", filepath.Base(f), flush, restart), func(t *testing.T) {
					got := play(t, in, flush, restart)
					if *rewrite {
						if flush == 1 && restart == 0 {
							if err := os.WriteFile(f, []byte(in+"\n---\n"+got), 0o644); err != nil {
								t.Fatal(err)
							}
							want = got
						}
					}
					if d := cmp.Diff(want, got); d != "" {
						t.Errorf("rows differ (-want +got):\n%s", d)
					}
				})
			}
		}
	}
}

const golden0 = int64(1795492800000) // 2026-11-24T04:00:00Z

// play runs a script through a task. flush is how many lines pass between flushes; restart, after how many lines the task is saved and
// restored, losing every acknowledgement.
func play(t *testing.T, script string, flush, restart int) string {
	t.Helper()
	p := newPlayer(t, NewRun(0, nil))
	n := 0
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		p.line(line)
		if n++; n%flush == 0 {
			p.flush()
		}
		if flush == 3 { // far more often than it comes by itself
			p.task.(*Task).sweepKeys()
		}
		if restart != 0 && n%restart == 0 {
			p.restart()
		}
	}
	for range 5 { // an open hour, day or session leaves with every fifth flush
		p.flush()
	}
	return p.store.text()
}

type player struct {
	t      testing.TB
	task   runtime.Task
	store  *memStore
	dict   *eventlog.Dict
	writer *eventlog.Writer
	log    map[string][]byte
	offset int64
	source int64
}

var goldenSource = eventlog.SourceID{TopicID: [16]byte{1}}

func newPlayer(t testing.TB, task runtime.Task) *player {
	p := &player{t: t, task: task, store: &memStore{rows: map[string]memRow{}}, dict: eventlog.NewDict(0), log: map[string][]byte{}}
	p.writer = eventlog.NewWriter(p.dict)
	p.apply(eventlog.AppendSettings(nil, &eventlog.Settings{Epoch: 1, Partitions: 1, HorizonMS: 6 * 3600_000, LatenessMS: 60_000,
		SessionGapMS: 3600_000, DedupeMS: 600_000, Zone: "Asia/Shanghai", MaxCells: 1 << 20}))
	p.apply(eventlog.AppendSources(nil, &eventlog.Sources{Topics: []eventlog.SourceTopic{{Name: "raw.viewer", ID: [16]byte{1}, Partitions: 1}}}))
	return p
}

func (p *player) apply(value []byte) {
	p.t.Helper()
	if err := p.task.Apply(p.offset, value); err != nil {
		p.t.Fatal(err)
	}
	p.offset++
}

func (p *player) flush() {
	var b rollup.Batch
	token := p.task.Flush(&b, false)
	p.store.write(&b)
	p.task.Ack(token)
}

// restart saves the task and goes on with a restored one.
func (p *player) restart() {
	p.t.Helper()
	p.task.Snapshot(func(k, v []byte) { p.log[string(k)] = v })
	p.task = NewRun(0, nil)
	for k, v := range p.log {
		if err := p.task.Restore([]byte(k), v); err != nil {
			p.t.Fatal(err)
		}
	}
	next, err := p.task.RestoreDone()
	if err != nil || next != p.offset {
		p.t.Fatalf("restored at %d, want %d: %v", next, p.offset, err)
	}
}

func (p *player) line(line string) {
	p.t.Helper()
	words := strings.Fields(line)
	f := map[string]string{}
	for _, w := range words[1:] {
		k, v, _ := strings.Cut(w, "=")
		f[k] = v
	}
	switch words[0] {
	case "wm":
		at, _ := strconv.ParseFloat(words[1], 64)
		p.apply(eventlog.AppendProgress(nil, &eventlog.Progress{Items: []eventlog.ProgressItem{{Source: goldenSource, Offset: p.source, Recv: golden0 + int64(at*1000)}}}))
		return
	case "repeat": // the block before, sent again by a zombie
		p.apply(p.log["last block"])
		return
	}
	in := p.input(words[0], f)
	p.source++
	in.Offset = p.source
	p.writer.Add(p.dict.Source(goldenSource), in)
	p.apply(p.writer.Seal(nil))
}

func (p *player) input(kind string, f map[string]string) *eventlog.Input {
	at := golden0 + int64(num(f["at"])*1000)
	recv := at
	if r, ok := f["recv"]; ok {
		recv = golden0 + int64(num(r)*1000)
	}
	in := &eventlog.Input{Recv: recv, TS: at, Platform: "douyin", Room: or(f["room"], "r1"), Session: or(f["session"], "s1"),
		ViewerHi: 7, ViewerLo: hash(or(f["u"], "u1")), EventFP: hash(or(f["id"], fmt.Sprint("event", p.source))), View: hash(or(f["view"], "v1")), Seq: 1}
	if f["room"] == "-" {
		in.Room, in.Session = "", ""
	}
	for pair := range strings.SplitSeq(f["exp"], ",") {
		if id, v, ok := strings.Cut(pair, ":"); ok {
			in.Exps = append(in.Exps, event.Experiment{ID: id, Variant: v})
		}
	}
	if c := f["click"]; c != "" {
		in.Click = hash(c)
	}
	if _, ok := f["bg"]; ok {
		in.Flags |= eventlog.Background
	}
	switch kind {
	case "reject":
		in.Kind, in.Sub = eventlog.Reject, uint8(event.NotJSON)
	case "order":
		p.order(in, f)
	default:
		if k := slices.Index(event.KindNames[:], kind); k >= 0 {
			in.Kind, in.Sub, in.Value, in.SKU = eventlog.Interaction, uint8(k), int64(num(or(f["count"], "1"))), f["sku"]
			in.Gift, in.Currency, in.Rating = int64(num(f["gift"])), f["cur"], uint8(num(f["rating"]))
			break
		}
		a := slices.Index(event.ActionNames[:], kind)
		if a < 0 {
			p.t.Fatalf("unknown line %q", kind)
		}
		in.Kind, in.Sub, in.Value = eventlog.Viewer, uint8(a), int64(num(f["watch"]))
		in.EntrySource, in.Campaign, _ = strings.Cut(f["origin"], "/")
	}
	return in
}

func (p *player) order(in *eventlog.Input, f map[string]string) {
	in.Kind, in.Sub, in.Currency, in.View = eventlog.Order, uint8(slices.Index(event.StateNames[:], f["state"])), or(f["cur"], "CNY"), 0
	o := &in.Order
	o.OrderID, o.Version = f["order"], int64(num(or(f["v"], "1")))
	o.Goods, o.Discount, o.Paid = int64(num(f["goods"])), int64(num(f["disc"])), int64(num(f["paid"]))
	for it := range strings.SplitSeq(or(f["items"], "1:sku1:1:0"), ",") {
		w := strings.Split(it, ":")
		o.Items = append(o.Items, event.Item{LineID: w[0], SKU: w[1], Qty: int64(num(w[2])), PaidMinor: int64(num(w[3]))})
	}
	if w := strings.Split(f["refund"], ":"); len(w) == 3 {
		o.RefundID, o.RefundLine, o.Refund = w[0], w[1], int64(num(w[2]))
	}
}

func num(s string) float64 { v, _ := strconv.ParseFloat(s, 64); return v }

func or(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// memStore is an upsert table in memory: the highest version of a key wins, partials add up.
type memStore struct{ rows map[string]memRow }

type memRow struct {
	version uint64
	group   string
	state   uint8
	values  map[string]int64
}

func (s *memStore) put(key string, r memRow) {
	if old, ok := s.rows[key]; !ok || r.version >= old.version {
		s.rows[key] = r
	}
}

func (s *memStore) write(b *rollup.Batch) {
	for _, c := range b.Cells {
		for i := range c.Grain {
			g := measure.Grain(c.Grain[i])
			window := "-"
			if g != measure.GrainSession {
				window = time.UnixMilli(c.Window[i]).UTC().Add(8 * time.Hour).Format("02 15:04:05")
			}
			group := fmt.Sprintf("%s %s %s %s", measure.CubeTables[c.Cube], measure.GrainNames[g], window, c.Room[i])
			for k := range measure.SubKeys[c.Cube] {
				group += " " + or(c.Sub[k][i], "''")
			}
			r := memRow{c.Version[i], group, c.State[i], map[string]int64{}}
			for k, col := range measure.Columns[c.Cube] {
				r.values[col.Name] = c.Value(k, i)
			}
			s.put(fmt.Sprintf("%s|%s|%d|%d", group, c.Session[i], c.Part[i], c.Gen[i]), r)
		}
	}
	for _, o := range b.Outcomes {
		group := fmt.Sprintf("outcomes %s %d %s%s", o.Topic, o.Partition, o.Outcome, or(" "+o.Reason, ""))
		s.put(fmt.Sprintf("%s|%d|%d", group, o.Minute, o.Gen), memRow{o.Version, strings.TrimSpace(group), 0, map[string]int64{"records": o.Records}})
	}
	for _, o := range b.Orders {
		group := fmt.Sprintf("orders %s %s v%d %s %s", o.OrderID, o.State, o.OrderVersion, or(o.Room, "''"), o.Currency)
		s.put("order|"+o.OrderID, memRow{o.Version, group, 0, map[string]int64{"paid_minor": o.PaidMinor, "refund_minor": o.RefundMinor}})
	}
}

// text is what an analyst would see: one line per key, measures that are not zero.
func (s *memStore) text() string {
	sums, status := map[string]map[string]int64{}, map[string]uint8{}
	for _, r := range s.rows {
		if sums[r.group] == nil {
			sums[r.group] = map[string]int64{}
		}
		for k, v := range r.values {
			sums[r.group][k] += v
		}
		status[r.group] |= r.state
	}
	var out strings.Builder
	for _, g := range slices.Sorted(maps.Keys(sums)) {
		line := g
		for _, k := range slices.Sorted(maps.Keys(sums[g])) {
			if v := sums[g][k]; v != 0 {
				line += fmt.Sprintf(" %s=%d", k, v)
			}
		}
		if line == g {
			continue
		}
		switch st := status[g]; {
		case !strings.Contains(g, "_m"):
		case st&rollup.Late != 0:
			line += " corrected"
		case st&rollup.Final != 0:
			line += " final"
		default:
			line += " provisional"
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}
