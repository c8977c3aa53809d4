package ui

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Querier is the part of clickhouse-go's driver.Conn that is needed.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (driver.Rows, error)
}

// Room is one live session as the list of rooms shows it.
type Room struct {
	Platform, Room, Session string
	Online                  int64 // at the end of the last pane that is known; 0 when that is half a minute ago, for then every view is over
	Viewers, Interactors    int64 // of the whole session
	Orders, GMV             int64 // paid; minor units of Currency
	Currency                string
	Currencies              uint64    // how many there are; GMV is the largest
	Updated                 time.Time // receive time of the newest event in the totals; online is newer
}

// hottestSQL reads the analyst's views like any analyst: totals from the session grain, who is online from the last panes.
const hottestSQL = `
SELECT s.platform, s.room_id, s.live_session_id, o.now_online, s.viewers, s.interactors, s.orders_paid, m.gmv, m.cur, m.curs, s.updated_at
FROM (SELECT toString(platform) AS platform, room_id, live_session_id, viewers, interactors, orders_paid, updated_at
      FROM %[1]s.room_measures WHERE grain = 'session' AND room_id != '' AND updated_at > now() - %[2]d) AS s
LEFT JOIN (SELECT toString(platform) AS platform, room_id, live_session_id, argMaxIf(online, window_start, online > 0) AS now_online
      FROM %[1]s.room_measures WHERE grain = '10s' AND window_start > now() - 30 GROUP BY ALL) AS o USING (platform, room_id, live_session_id)
LEFT JOIN (SELECT toString(platform) AS platform, room_id, live_session_id, max(gmv_paid_minor) AS gmv, argMax(toString(currency), gmv_paid_minor) AS cur,
      uniqExactIf(currency, gmv_paid_minor > 0) AS curs
      FROM %[1]s.room_money WHERE grain = 'session' GROUP BY ALL) AS m USING (platform, room_id, live_session_id)
ORDER BY o.now_online DESC, s.viewers DESC, s.room_id LIMIT %[3]d`

// Hottest are the rooms with most viewers online, of those with events within the last time.
func Hottest(ctx context.Context, db Querier, database string, within time.Duration, limit int) ([]Room, error) {
	rows, err := db.Query(ctx, fmt.Sprintf(hottestSQL, database, int(within.Seconds()), limit))
	if err != nil {
		return nil, fmt.Errorf("hottest rooms: %w", err)
	}
	defer rows.Close()
	var out []Room
	for rows.Next() {
		var r Room
		if err := rows.Scan(&r.Platform, &r.Room, &r.Session, &r.Online, &r.Viewers, &r.Interactors, &r.Orders, &r.GMV, &r.Currency, &r.Currencies, &r.Updated); err != nil {
			return nil, fmt.Errorf("hottest rooms: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// newest is how long ago the newest event of a row was received, in a colour that tells whether that is now.
func (t *Terminal) newest(age time.Duration) string {
	switch {
	case age <= time.Second:
		return t.Paint("32", Age(age))
	case age <= 10*time.Second:
		return t.Paint("33", Age(age))
	}
	return t.Paint("2", Age(age))
}

// Titles of the last column of RoomTable, which is how long ago a room's newest visible event was received.
const (
	Freshness = "freshness"  // where events come all the time, so that it is how long rows take
	LastEvent = "last event" // where rooms may be silent
)

// RoomTable is the list of rooms. Its last column shows in the narrowest window, too.
func (t *Terminal) RoomTable(rooms []Room, now time.Time, last string) []string {
	columns := []Column{{"room", false}, {"platform", false}, {"session", false}, {"online", true}, {"viewers", true}, {"interaction rate", true},
		{"orders", true}, {"GMV paid", true}, {last, true}}
	rows := make([][]string, len(rooms))
	for i, r := range rooms {
		gmv := "–"
		if r.GMV != 0 {
			gmv = Money(r.GMV, r.Currency)
		}
		if r.Currencies > 1 {
			gmv = fmt.Sprintf("(+%d) %s", r.Currencies-1, gmv)
		}
		rows[i] = []string{r.Room, r.Platform, r.Session, Count(r.Online), Count(r.Viewers), Ratio(r.Interactors, r.Viewers), Count(r.Orders), gmv, t.newest(now.Sub(r.Updated))}
	}
	if width, _ := t.Size(); t.TTY {
		columns, rows = fit(width, columns, rows, "session", "platform", "interaction rate", "orders")
	}
	return t.Table(columns, rows)
}
