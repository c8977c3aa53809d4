package fused

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// Values, times, number of generations and statuses are the same whatever flushes, checkpoints, crashes and lost answers there were.
func TestRowsAreOfTheLog(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		at, wm, n := int64(0), int64(0), 0
		var lines []string
		lines = append(lines, fmt.Sprintf("set cells=%d", rapid.SampledFrom([]int{1 << 20, 1 << 20, 4, 1}).Draw(t, "cells")))
		for range rapid.IntRange(1, 40).Draw(t, "lines") {
			n++
			switch rapid.IntRange(0, 9).Draw(t, "kind") {
			case 0, 1, 2, 3, 4:
				at += rapid.SampledFrom([]int64{0, 1, 9, 50, 700, 3500, 3600, 9000}).Draw(t, "step")
				late := min(at, rapid.SampledFrom([]int64{0, 0, 0, 5, 60, 130, 3700, 20_000}).Draw(t, "late"))
				ev := rapid.SampledFrom([]string{"enter", "heartbeat", "leave", "product_click", "gift", "order"}).Draw(t, "event")
				extra := map[string]string{"product_click": "sku=p exp=x:A", "gift": "gift=5 cur=CNY", "enter": "origin=feed/c1 exp=x:A click=k1", "heartbeat": "watch=6000 exp=x:A", "leave": "watch=70000"}[ev]
				if ev == "order" {
					extra = fmt.Sprintf("state=%s order=o%d v=%d paid=%d items=1:p:1:%[4]d goods=100", rapid.SampledFrom([]string{"created", "paid", "paid", "cancelled", "refunded"}).Draw(t, "state"),
						rapid.IntRange(0, 2).Draw(t, "order"), rapid.IntRange(1, 9).Draw(t, "version"), rapid.IntRange(0, 50).Draw(t, "paid"))
					if strings.Contains(extra, "refunded") {
						extra += " refund=f1:1:3"
					}
				}
				lines = append(lines, fmt.Sprintf("%s at=%d recv=%d id=e%d %s view=v u=u%d room=r%d", ev,
					at-late, at, n, extra, rapid.IntRange(0, 2).Draw(t, "viewer"), rapid.IntRange(0, 1).Draw(t, "room")))
			case 5, 6:
				at += rapid.SampledFrom([]int64{0, 1, 59, 61, 119, 400, 3599, 3661}).Draw(t, "silence")
				wm = max(wm, at)
				lines = append(lines, fmt.Sprintf("wm %d", wm))
			default:
				if rapid.IntRange(0, 9).Draw(t, "filler") == 0 { // buckets of the checkpoint
					for k := range 65 {
						lines = append(lines, fmt.Sprintf("heartbeat at=%d recv=%[1]d id=f%d_%d watch=1 room=f%[3]d", at, n, k))
					}
				}
				lines = append(lines, rapid.SampledFrom([]string{"flush", "behind", "fail", "unacked", "save", "crash", "saved on its way", "flush", "save", "crash"}).Draw(t, "life"))
			}
		}
		how := rapid.SampledFrom([]string{"run", "pieces"}).Draw(t, "how")
		lines = append(lines, fmt.Sprintf("wm %d", at+20*86400))
		plain, lived := rowsOfLife(outer, "run", lines, false), rowsOfLife(outer, how, lines, true)
		if d := cmp.Diff(strings.Split(plain, "\n"), strings.Split(lived, "\n")); d != "" {
			t.Fatalf("plain and lived differ:\n%s\n%s", d, strings.Join(lines, "\n"))
		}
	})
}

func rowsOfLife(t testing.TB, how string, lines []string, lives bool) string {
	p := startPlayer(t, how)()
	p.store.months, p.store.times, p.store.generations = true, true, true
	flush := func(how string) {
		var b rollup.Batch
		token, more := p.task.Flush(&b, how == "behind")
		p.more = more
		if how != "fail" {
			p.store.write(&b)
		}
		switch how {
		case "fail", "unacked":
			p.task.Nack(token)
		case "saved on its way":
			p.save()
			p.crash(func() {})
		default:
			p.task.Ack(token)
		}
	}
	for _, line := range lines {
		switch line {
		case "flush", "behind", "fail", "unacked", "saved on its way":
			if lives {
				flush(line)
			}
		case "save":
			if lives {
				p.save()
			}
		case "crash":
			if lives {
				p.crash(func() {})
			}
		default:
			p.line(line)
		}
	}
	for range 400 {
		flush("flush")
		for p.more {
			flush("flush")
		}
	}
	return p.store.text()
}
