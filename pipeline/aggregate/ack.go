package aggregate

// Ack gives back the memory of closed cells whose last row is durable, for the flush with this token and those before it.
func (a *Aggregator) Ack(token uint64) { a.settle(token, false) }

// Nack returns the rows of the flush with this token, and of those before it, to the dirty ones.
func (a *Aggregator) Nack(token uint64) { a.settle(token, true) }

func (a *Aggregator) settle(token uint64, failed bool) {
	if failed {
		a.endRound()
	}
	for len(a.flights) > 0 && a.flights[0].token <= token {
		f := a.flights[0]
		a.flights = a.flights[1:]
		for _, i := range f.cells {
			a.unsaved.Mark(i)
			c := a.cells.At(i)
			c.inflight--
			if failed {
				a.touch(i, c)
				c.since = min(c.since, f.before.wm)
			} else if c.state&closedBit != 0 && !c.dirty && c.inflight == 0 {
				a.release(i, c)
			}
		}
		if failed { // what had its turn since then may stand in rows that are dirty again
			a.told = told{min(a.told.wm, f.before.wm), min(a.told.at, f.before.at)}
			a.untold, a.anew = a.untold || f.tells, a.anew || f.anew
			for cube := range a.turned {
				for part := range a.turned[cube] {
					a.turned[cube][part] = min(a.turned[cube][part], f.before.wm)
				}
			}
		}
		for _, k := range f.orders {
			p := a.orders[k]
			switch {
			case p == nil:
			case failed:
				p.dirty = true
			case !p.dirty:
				delete(a.orders, k)
			}
		}
	}
}
