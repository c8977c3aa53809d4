package fused

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/livemeter/livemeter/pipeline/event"
	"github.com/livemeter/livemeter/pipeline/eventlog"
)

func (p *player) line(line string) {
	p.t.Helper()
	words := strings.Fields(line)
	f := map[string]string{}
	for _, w := range words[1:] {
		k, v, _ := strings.Cut(w, "=")
		f[k] = v
	}
	from := goldenSource
	switch f["src"] {
	case "2":
		from = secondSource
	case "new":
		from = newSource
	}
	switch words[0] {
	case "show": // the rows to look at
		p.store.show = append(p.store.show, strings.Join(words[1:], " "))
	case "times": // and their times
		p.store.times = true
	case "generations": // and their number
		p.store.generations = true
	case "wm": // nothing received before this is still to come
		p.apply(eventlog.AppendProgress(nil, &eventlog.Progress{Items: []eventlog.ProgressItem{{Source: from, Generation: int32(num(f["gen"])),
			Offset: p.source[from], Recv: golden0 + ms(words[1])}}}))
	case "sources":
		p.sources(words[1])
	case "repeat": // the block before, sent again by a zombie
		p.apply(p.block)
	case "set": // limits, from here on
		p.set(f)
	default:
		p.add(from, p.input(words[0], f))
	}
}

func (p *player) set(f map[string]string) {
	s := &p.settings
	for k, v := range f {
		switch k {
		case "cells":
			s.MaxCells = uint32(num(v))
		case "lateness":
			s.LatenessMS = ms(v)
		case "gap":
			s.SessionGapMS = ms(v)
		case "dedupe":
			s.DedupeMS = ms(v)
		case "horizon":
			s.HorizonMS = ms(v)
		case "ttl": // days by grain
			for g, d := range strings.Split(v, ",") {
				s.TTLDays[g] = uint16(num(d))
			}
		default:
			p.t.Fatalf("unknown limit %q", k)
		}
	}
	p.apply(eventlog.AppendSettings(nil, s))
}

func (p *player) input(kind string, f map[string]string) *eventlog.Input {
	at := golden0 + ms(f["at"])
	recv := at
	if r, ok := f["recv"]; ok {
		recv = golden0 + ms(r)
	}
	in := &eventlog.Input{Recv: recv, TS: at, Platform: or(f["platform"], "douyin"), Room: or(f["room"], "r1"), Session: or(f["session"], "s1"),
		ViewerHi: 7, ViewerLo: hash(f["platform"] + or(f["u"], "u1")), EventFP: hash(or(f["id"], fmt.Sprint("event", p.offset))), View: hash(or(f["view"], "v1")), Seq: 1}
	if f["room"] == "-" {
		in.Room, in.Session = "", f["session"]
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
	if offset, ok := f["replay"]; ok {
		in.Original = &eventlog.OriginalInput{Source: goldenSource, Offset: int64(num(offset)), Topic: "raw.viewer", Reason: event.NotJSON}
	}
	switch kind {
	case "reject":
		in.Kind, in.Sub = eventlog.Reject, uint8(event.NotJSON)
	case "order":
		p.order(in, f)
	case "cost", "stock": // keyed by what they are about
		in.Kind, in.SKU, in.View = eventlog.Cost, f["sku"], 0
		if kind == "stock" {
			in.Kind = eventlog.Stock
		}
		about := fmt.Sprint(kind, in.Platform, f["id"], in.SKU, in.Room, in.Session)
		in.ViewerLo, in.EventFP = hash(about), hash(about+" "+f["v"])
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

// ms is a sum of seconds, or of numbers with a unit d, h or m, in milliseconds.
func ms(s string) int64 {
	total := 0.0
	for len(s) > 0 {
		n := len(s)
		if i := strings.IndexAny(s[1:], "+-"); i >= 0 {
			n = i + 1
		}
		term, unit := strings.TrimPrefix(s[:n], "+"), 1.0
		for suffix, u := range map[string]float64{"m": 60, "h": 3600, "d": 86400} {
			if t, ok := strings.CutSuffix(term, suffix); ok {
				term, unit = t, u
			}
		}
		total += num(term) * unit
		s = s[n:]
	}
	return int64(math.Round(total * 1000))
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
