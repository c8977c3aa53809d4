package exact

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// tables are the analyst's rows: table → readable key → measures that are not 0.
type tables map[string]map[string]map[string]int64

func (t tables) set(table, key, measure string, v int64) {
	if v == 0 {
		return
	}
	if t[table] == nil {
		t[table] = map[string]map[string]int64{}
	}
	if t[table][key] == nil {
		t[table][key] = map[string]int64{}
	}
	t[table][key][measure] = v
}

func keyText(grain measure.Grain, window int64, platform, room, session string, sub [2]string) string {
	return fmt.Sprintf("%s %d %s %s %s %s", measure.GrainNames[grain], window, platform, room, session, sub)
}

func (t tables) order(platform, id, state string, version int64, room, session, currency string, paid, refund int64) {
	key := fmt.Sprintf("%s %s %s v%d in %q %q %s paid %d refunded %d", platform, id, state, version, room, session, currency, paid, refund)
	t.set("orders", key, "orders", t["orders"][key]["orders"]+1) // two buyers may have one order id
}

func (t tables) net() {
	for _, name := range []string{"room_money", "sku_money"} {
		for key, m := range t[name] {
			t.set(name, key, "net_minor", m["gmv_paid_minor"]-m["refund_minor_by_order"])
		}
	}
}

// differences between what the ledger says and the rows, one a line.
func (t tables) differences(rows tables) string {
	lines := map[string]bool{}
	for _, both := range [2]tables{t, rows} {
		for table, keys := range both {
			for key, measures := range keys {
				for m := range measures {
					if want, got := t[table][key][m], rows[table][key][m]; want != got {
						lines[fmt.Sprintf("%s %s %s: ledger %d, rows %d\n", table, key, m, want, got)] = true
					}
				}
			}
		}
	}
	return strings.Join(slices.Sorted(maps.Keys(lines)), "")
}
