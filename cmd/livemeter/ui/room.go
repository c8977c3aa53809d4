package ui

import (
	"context"
	"fmt"
	"time"
)

// Minute is one row of a room's recent past.
type Minute struct {
	Start                               time.Time
	Status                              string
	Online, Viewers, Views, Interactors int64
	Interactions, Clicks, Orders, GMV   int64
	Currency                            string
	Updated                             time.Time
}

const minutesSQL = `
SELECT r.w, r.st, r.on, r.vi, r.vs, r.ia, r.ie, r.pc, r.op, m.gmv, m.cur, r.up
FROM (SELECT window_start AS w, if(max(status = 'corrected'), 'corrected', if(max(status = 'provisional'), 'provisional', 'final')) AS st, toInt64(max(online)) AS on,
        sum(viewers) AS vi, sum(views) AS vs, sum(interactors) AS ia, sum(interaction_events) AS ie, sum(interactions_product_click) AS pc,
        sum(orders_paid) AS op, max(updated_at) AS up
      FROM %[1]s.room_measures WHERE grain = '1m' AND room_id = ? AND window_start > now() - %[2]d GROUP BY w) AS r
LEFT JOIN (SELECT w, max(g) AS gmv, argMax(c, g) AS cur FROM
        (SELECT window_start AS w, toString(currency) AS c, sum(gmv_paid_minor) AS g FROM %[1]s.room_money
         WHERE grain = '1m' AND room_id = ? AND window_start > now() - %[2]d GROUP BY ALL) GROUP BY w) AS m ON m.w = r.w
ORDER BY r.w`

// Minutes are the last minutes of a room, oldest first, over its sessions and platforms.
func Minutes(ctx context.Context, db Querier, database, room string, last time.Duration) ([]Minute, error) {
	rows, err := db.Query(ctx, fmt.Sprintf(minutesSQL, database, int(last.Seconds())), room, room)
	if err != nil {
		return nil, fmt.Errorf("room %q: %w", room, err)
	}
	defer rows.Close()
	var out []Minute
	for rows.Next() {
		var m Minute
		if err := rows.Scan(&m.Start, &m.Status, &m.Online, &m.Viewers, &m.Views, &m.Interactors, &m.Interactions, &m.Clicks, &m.Orders, &m.GMV, &m.Currency, &m.Updated); err != nil {
			return nil, fmt.Errorf("room %q: %w", room, err)
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

func gmv(m Minute) string {
	if m.GMV == 0 {
		return "–"
	}
	return Money(m.GMV, m.Currency)
}

// peak is – where a minute has none yet: it comes when the minute is over.
func peak(m Minute) string {
	if m.Online == 0 && m.Status == "provisional" {
		return "–"
	}
	return Count(m.Online)
}

// MinuteTable is a room's minutes with a sparkline of each measure below.
func (t *Terminal) MinuteTable(minutes []Minute, zone *time.Location) []string {
	columns := []Column{{"minute (" + zone.String() + ")", false}, {"peak online", true}, {"viewers", true}, {"views", true}, {"interaction rate", true}, {"interactions", true},
		{"clicks", true}, {"orders", true}, {"GMV paid", true}, {"status", false}}
	rows := make([][]string, len(minutes))
	series := map[string][]int64{}
	add := func(name string, v int64) { series[name] = append(series[name], v) }
	for i, m := range minutes {
		rows[i] = []string{m.Start.In(zone).Format("15:04"), peak(m), Count(m.Viewers), Count(m.Views), Ratio(m.Interactors, m.Viewers), Count(m.Interactions),
			Count(m.Clicks), Count(m.Orders), gmv(m), m.Status}
		add("peak online", m.Online)
		add("interactions", m.Interactions)
		add("GMV paid", m.GMV)
	}
	out := append(t.Table(columns, rows), "")
	for _, name := range []string{"peak online", "interactions", "GMV paid"} {
		out = append(out, fmt.Sprintf("%-13s %s", name, t.Paint("36", Sparkline(series[name]))))
	}
	return out
}
