package fused

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// As TestSnapshotInPartsIsOfItsBeginning, over random scripts: many viewers in a bucket, all kinds of state, late events, limits of cells.
func TestSnapshotInPartsOfRandomScripts(t *testing.T) {
	for seed := range uint64(80) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 3))
			compareSnapshots(t, randomScript(rnd), []int{1, 2, 5, 13}[rnd.IntN(4)], newPlayer(t, NewRun(0, nil)), newPlayer(t, NewRun(0, nil)))
		})
	}
}

func randomScript(rnd *rand.Rand) string {
	pick := func(of ...int64) int64 { return of[rnd.IntN(len(of))] }
	at, wm, order := int64(0), int64(0), 0
	lines := []string{fmt.Sprintf("set cells=%d", pick(1<<20, 1<<20, 4, 20))}
	for range 150 {
		switch rnd.IntN(8) {
		case 0, 1, 2, 3:
			at += pick(0, 1, 9, 50, 700, 3600)
			late := min(at, pick(0, 0, 0, 5, 60, 130, 3700, 30_000))
			what := []string{"enter origin=feed/c1 exp=x:A", "heartbeat watch=11 exp=x:A", "product_click sku=p", "gift gift=5 cur=CNY", "leave watch=1"}[rnd.IntN(5)]
			lines = append(lines, fmt.Sprintf("%s at=%d recv=%d view=v%d u=u%d room=r%d", what, at-late, at, rnd.IntN(2), rnd.IntN(90), rnd.IntN(2)))
		case 4:
			order++
			lines = append(lines, fmt.Sprintf("order order=o%d state=paid at=%d recv=%d u=u%d room=r%d items=1:p:1:100 paid=100", order, at, at, rnd.IntN(90), rnd.IntN(2)))
		default:
			at += pick(0, 1, 31, 61, 119, 400, 3661, 90_000)
			wm = max(wm, at)
			lines = append(lines, fmt.Sprintf("wm %d", wm))
		}
	}
	return strings.Join(lines, "\n")
}
