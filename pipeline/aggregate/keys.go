package aggregate

import "github.com/livemeter/livemeter/pipeline/cellkey"

// MarkKeys names every key that a cell has, closed ones included. What recent guesses needs no marks: a guess holds only if the cell itself has
// the key that is asked for, and a key that a cell has is never given to another.
func (a *Aggregator) MarkKeys(m *cellkey.Marks) {
	for i := uint32(1); i < a.cells.Cap(); i++ { // free ones are zero and name nothing
		m.Key(a.cells.At(i).key)
	}
}
