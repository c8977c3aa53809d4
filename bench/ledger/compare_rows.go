package ledger

import (
	"context"
	"fmt"
	"maps"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

type orderKey struct{ platform, id string }

// orders compares the table orders. Two buyers with one order_id on a platform are two orders: they are matched as they come.
func (c *comparison) orders(ctx context.Context) error {
	want := map[orderKey][]OrderRow{}
	for _, o := range c.t.Orders {
		k := orderKey{o.Platform, o.OrderID}
		want[k] = append(want[k], o)
	}
	line := Line{Table: "orders", Measure: "whole row"}
	query := "SELECT toString(platform), order_id, toString(state), toInt64(order_version), room_id, live_session_id, toString(currency), toInt64(paid_minor), toInt64(refund_minor) FROM " +
		c.o.Database + ".orders"
	err := c.each(ctx, query, func(rows driver.Rows) error {
		var o OrderRow
		if err := rows.Scan(&o.Platform, &o.OrderID, &o.State, &o.Version, &o.Room, &o.Session, &o.Currency, &o.PaidMinor, &o.RefundMinor); err != nil {
			return err
		}
		k := orderKey{o.Platform, o.OrderID}
		list := want[k]
		if len(list) == 0 {
			line.extra(fmt.Sprintf("%+v: not in the ledger", o))
			return nil
		}
		at := 0
		for i, w := range list {
			if w == o {
				at = i
			}
		}
		line.same(list[at] == o, func() string { return fmt.Sprintf("ledger %+v, ClickHouse %+v", list[at], o) })
		want[k] = append(list[:at:at], list[at+1:]...)
		return nil
	})
	if err != nil {
		return err
	}
	for _, list := range want {
		for _, o := range list {
			line.missing(fmt.Sprintf("%+v: not in ClickHouse", o))
		}
	}
	c.finish(line)
	return nil
}

// outcomes compares how many records of each source partition and minute came to which end.
func (c *comparison) outcomes(ctx context.Context) error {
	want := map[OutcomeKey]int64{}
	for k, n := range c.t.Outcomes {
		want[k] = n
	}
	line := Line{Table: "outcomes", Measure: "records"}
	query := "SELECT toString(source_topic), toInt32(source_partition), " + millis("minute") + ", toString(outcome), toString(reason), toInt64(records) FROM " +
		c.o.Database + ".outcomes"
	err := c.each(ctx, query, func(rows driver.Rows) error {
		var k OutcomeKey
		var got int64
		if err := rows.Scan(&k.Topic, &k.Partition, &k.Minute, &k.Outcome, &k.Reason, &got); err != nil {
			return err
		}
		n, ok := want[k]
		delete(want, k)
		switch {
		case got == 0 && !ok:
		case !ok:
			line.extra(fmt.Sprintf("%s: %d records that the ledger has not", k, got))
		default:
			line.same(n == got, func() string { return fmt.Sprintf("%s: ledger %d, ClickHouse %d", k, n, got) })
		}
		return nil
	})
	if err != nil {
		return err
	}
	for k, n := range want {
		line.missing(fmt.Sprintf("%s: ledger %d, not in ClickHouse", k, n))
	}
	c.r.Conserved = line.Counts
	c.finish(line)
	return nil
}

// completeness compares how many numbers of each platform, kind, SDK and minute were to be received and were.
func (c *comparison) completeness(ctx context.Context) error {
	if c.t.Completeness == nil { // a file of an earlier version
		return nil
	}
	want := maps.Clone(c.t.Completeness)
	line := Line{Table: "completeness", Measure: "expected, received"}
	query := "SELECT toString(platform), toString(kind), toString(sdk_name), toString(sdk_version), " + millis("minute") + ", toInt64(expected), toInt64(received) FROM " + c.o.Database + ".completeness"
	err := c.each(ctx, query, func(rows driver.Rows) error {
		var k CompletenessKey
		var got Numbers
		if err := rows.Scan(&k.Platform, &k.Kind, &k.SDKName, &k.SDKVersion, &k.Minute, &got.Expected, &got.Received); err != nil {
			return err
		}
		n, ok := want[k]
		delete(want, k)
		switch {
		case got == Numbers{} && !ok:
		case !ok:
			line.extra(fmt.Sprintf("%+v: %+v that the ledger has not", k, got))
		default:
			line.same(n == got, func() string { return fmt.Sprintf("%+v: ledger %+v, ClickHouse %+v", k, n, got) })
		}
		return nil
	})
	if err != nil {
		return err
	}
	for k, n := range want {
		line.missing(fmt.Sprintf("%+v: ledger %+v, not in ClickHouse", k, n))
	}
	c.finish(line)
	return nil
}

func (k OutcomeKey) String() string {
	s := fmt.Sprintf("%s partition %d minute %s %s", k.Topic, k.Partition, clock(k.Minute), k.Outcome)
	if k.Reason != "" {
		s += " " + k.Reason
	}
	return s
}

func (c *comparison) finish(l Line) {
	c.r.Lines = append(c.r.Lines, l)
	c.total(l.Table, l.Counts)
}

func (l *Line) note(s string) {
	if len(l.Differences) < maxDifferences {
		l.Differences = append(l.Differences, s)
	}
}

func (l *Line) extra(s string) {
	l.Extra++
	l.note(s)
}

func (l *Line) missing(s string) {
	l.Missing++
	l.note(s)
}

func (l *Line) same(equal bool, describe func() string) {
	l.Compared++
	if equal {
		l.Equal++
		return
	}
	l.Different++
	l.note(describe())
}
