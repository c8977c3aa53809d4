package aggregate

import "github.com/livemeter/livemeter/pipeline/change"

// nowhere is the place of a change or an order where none is being applied.
const nowhere = -1

// Step makes changes and orders be applied one by one, so that At knows which one it was: see runtime.Poison.
func (a *Aggregator) Step(on bool) { a.stepping, a.atChange, a.atOrder = on, nowhere, nowhere }

// At is the change, or the order, of the record that is being applied, −1 where none is; only while stepping.
func (a *Aggregator) At() (changes, orders int) { return a.atChange, a.atOrder }

func (a *Aggregator) addSingly(r *change.Record) {
	a.atOrder = nowhere
	for i := range r.Changes {
		a.atChange = i
		a.warmUp(r.Changes[i : i+1])
		a.add(r.Changes[i : i+1])
		if a.Fault != nil {
			a.Fault(&r.Changes[i])
		}
	}
	a.atChange = nowhere
	for i := range r.Orders {
		a.atOrder = i
		a.order(&r.Orders[i])
	}
	a.atOrder = nowhere
}
