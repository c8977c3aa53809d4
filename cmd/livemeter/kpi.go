package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

type kpiCmd struct {
	Room string `arg:"" optional:"" help:"room_id; without it, the rooms."`
	withConfig
	Last  time.Duration `default:"20m" help:"How far back to look at a room; rooms without an event for a day are not listed."`
	Top   int           `default:"20" help:"Rooms to list: those with most viewers online now, then those with most viewers in the session."`
	Watch bool          `short:"w" help:"Again every second."`
}

func (kpiCmd) Help() string {
	return `Reads the views that analysts query (room_measures, room_money). A line of the rooms is one live session; last event is how long ago the newest
event in it was received, which grows while a room is silent. Interaction rate is distinct viewers who commented, liked, shared or followed ÷
viewers; orders and GMV are paid ones, orders of several currencies together. (+1) before an amount says that there are amounts in one more currency:
the largest is shown, room_money has all. Peak online of a minute in progress is – until it is told, within half a minute after its end. A narrow
terminal leaves out session, platform, interaction rate and orders.

Example:
    livemeter kpi
    livemeter kpi r_00042 --last 1h -w`
}

func (c kpiCmd) Run(ctx context.Context, g global, s streams) error {
	if c.Top < 1 || c.Last <= 0 {
		return usageError{errors.New("kpi: --top must be at least 1, --last above 0")}
	}
	cfg, err := c.valid(g, s, config.Client)
	if err != nil {
		return err
	}
	zone, err := time.LoadLocation(cfg.Zone)
	if err != nil {
		return err
	}
	var sink *clickhouse.Sink
	err = waiting(s, "waiting for ClickHouse at "+strings.Join(cfg.ClickHouse.Addr, ",")+" to answer", func() (err error) { sink, err = service.ReachStore(ctx, cfg); return err })
	if err != nil {
		return err
	}
	defer sink.Close()
	t := ui.NewTerminal(s.out)
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		lines, err := c.look(s, t, func() ([]string, error) { return c.lines(ctx, t, sink, zone) })
		if ctx.Err() != nil {
			return nil
		}
		if none := (noRoomError{}); errors.As(err, &none) {
			if !c.Watch {
				return none
			}
			lines, err = []string{none.Error()}, nil // it may come
		}
		if err != nil {
			return service.StoreError(cfg, err)
		}
		if c.Watch && t.TTY {
			t.Frame(lines)
		} else {
			for _, l := range lines {
				fmt.Fprintln(t, l)
			}
		}
		if !c.Watch {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again.C:
		}
	}
}

// look asks once, and says that it waits where no line of it would come into a table that is drawn over.
func (c kpiCmd) look(s streams, t *ui.Terminal, once func() ([]string, error)) (lines []string, err error) {
	if c.Watch && t.TTY {
		return once()
	}
	err = waiting(s, "asking ClickHouse for the rows", func() (err error) { lines, err = once(); return err })
	return lines, err
}

// noRoomError says that a room had no event.
type noRoomError struct {
	room string
	last time.Duration
}

func (e noRoomError) Error() string {
	return fmt.Sprintf("room %s: nothing in the last %s; is the id right? livemeter kpi lists the rooms", e.room, ui.Age(e.last))
}

func (c kpiCmd) lines(ctx context.Context, t *ui.Terminal, sink *clickhouse.Sink, zone *time.Location) ([]string, error) {
	if c.Room != "" {
		minutes, err := ui.Minutes(ctx, sink.Conn(), sink.Database(), c.Room, c.Last)
		if err != nil {
			return nil, err
		}
		if len(minutes) == 0 {
			return nil, noRoomError{c.Room, c.Last}
		}
		return t.MinuteTable(minutes, zone), nil
	}
	rooms, err := ui.Hottest(ctx, sink.Conn(), sink.Database(), 24*time.Hour, c.Top)
	if err != nil {
		return nil, err
	}
	if len(rooms) == 0 {
		return []string{"no room had an event in the last day"}, nil
	}
	return t.RoomTable(rooms, time.Now(), ui.LastEvent), nil
}
