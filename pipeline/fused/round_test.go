package fused

import (
	"testing"

	"github.com/livemeter/livemeter/pipeline/rollup"
)

// A piece that did not arrive ends its round: no watermark is sent before its rows are.
func TestNackEndsRound(t *testing.T) {
	p := newPlayer(t, newPieceByPiece())
	for _, line := range []string{"heartbeat at=0 watch=1", "product_click at=0 sku=p", "wm 3700"} {
		p.line(line)
	}
	rooms, fails := 0, 1
	for range 40 {
		var b rollup.Batch
		token, _ := p.task.Flush(&b, true)
		has := 0
		for _, c := range b.Cells {
			if c.Cube == 0 {
				has += len(c.Grain)
			}
		}
		if has > 0 && fails > 0 {
			fails--
			p.task.Nack(token)
			continue
		}
		p.task.Ack(token)
		rooms += has
		for _, w := range b.Watermarks {
			if w.WM >= golden0+130_000 && rooms == 0 {
				t.Fatalf("watermark %d s is sent before the room's rows", (w.WM-golden0)/1000)
			}
		}
	}
	if rooms == 0 || fails > 0 {
		t.Error("nothing tested")
	}
}

// A stop in the middle of a round sends what the round had left out.
func TestLastEndsRound(t *testing.T) {
	p := newPlayer(t, newPieceByPiece())
	for _, line := range []string{"enter at=0 origin=feed/c1 exp=x:A", "product_click at=0 sku=p", "gift at=0 gift=5 cur=CNY", "wm 40"} {
		p.line(line)
	}
	left := 0
	for k := 0; ; k++ { // a flush that is a piece
		if k == 50 {
			t.Fatal("no pieces")
		}
		p.flush(true)
		if p.more {
			if left++; left == 1 {
				break
			}
		}
	}
	p.task.Last()
	for p.more = true; p.more; {
		p.flush(true)
	}
	if n := p.task.Stats().DirtyCells; n != 0 {
		t.Errorf("%d cells have not left with the last flush", n)
	}
}

// What is applied while a round is under way is not spoken for by the watermark that the round ends with.
func TestWatermarkOfRoundIsThatOfItsBegin(t *testing.T) {
	p := newPlayer(t, newPieceByPiece())
	p.line("enter at=0 exp=x:A") // its panes ahead leave when nothing has come in for 25 flushes
	p.line("wm 1")
	arrived, between := false, false
	for k := range 60 {
		var b rollup.Batch
		token, more := p.task.Flush(&b, false)
		p.task.Ack(token)
		for _, c := range b.Cells {
			for i := range c.Grain {
				arrived = arrived || c.Room[i] == "r2"
			}
		}
		for _, w := range b.Watermarks {
			if w.WM >= golden0+130_000 && !arrived {
				t.Fatalf("flush %d: watermark %d s is sent before the rows of a minute that it makes final", k, (w.WM-golden0)/1000)
			}
		}
		if k > 15 && more && !between {
			between = true
			p.line("heartbeat at=2 room=r2 watch=1")
			p.line("wm 300")
		}
	}
	if !arrived || !between {
		t.Error("nothing tested", arrived, between)
	}
}

// A cube whose turn did not arrive has not had it.
func TestNackedTurnIsNoTurn(t *testing.T) {
	for start := range 5 {
		p := newPlayer(t, NewRun(0, nil))
		p.line("wm 1")
		for range start {
			p.flush(true)
		}
		p.line("product_click at=1 sku=p") // its pane is final at 70, its minute closes at 120
		p.line("wm 75")
		failed, arrived := false, false
		for range 30 {
			var b rollup.Batch
			token, _ := p.task.Flush(&b, false)
			sku := false
			for _, c := range b.Cells {
				for i := range c.Grain {
					sku = sku || c.Cube == 1 && c.Grain[i] == 1
				}
			}
			if sku && !failed {
				failed = true
				p.task.Nack(token)
				continue
			}
			p.task.Ack(token)
			arrived = arrived || sku
			for _, w := range b.Watermarks {
				if w.WM >= golden0+70_000 && !arrived {
					t.Fatalf("start %d: watermark %d s is sent before the product's row", start, (w.WM-golden0)/1000)
				}
			}
		}
		if !failed || !arrived {
			t.Error("nothing tested")
		}
	}
}

// A restart forgets a watermark that was sent but not acknowledged.
func TestRestartForgetsWatermarkOnItsWay(t *testing.T) {
	p := newPlayer(t, NewRun(0, nil))
	p.line("heartbeat at=1 watch=1") // its pane is final at 70, its minute closes at 120
	p.line("wm 75")
	for range 5 {
		p.flush(false)
	}
	p.restart()
	var b rollup.Batch
	p.task.Flush(&b, true)
	if len(b.Watermarks) != 1 || b.Watermarks[0].WM >= golden0+70_000 {
		t.Errorf("watermarks %v: want one below %d, as the minute has not left", b.Watermarks, golden0+70_000)
	}
}
