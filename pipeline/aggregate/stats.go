package aggregate

// Stats are the aggregator's numbers: open cells; those that changed and have not left, with all orders that are not acknowledged; and cells on their way.
func (a *Aggregator) Stats() (open, dirty, flying int) {
	for i := range a.flights {
		flying += len(a.flights[i].cells)
	}
	return a.openCells, len(a.dirty) + a.round.rows + len(a.orders), flying
}

// Limit is the log's limit of open cells, 0 while unknown, and how many closed early because of it since this task began.
func (a *Aggregator) Limit() (cells int, closedEarly uint64) { return a.maxCells, a.closedEarly }

// Clock is the watermark and the highest receive time applied, ms.
func (a *Aggregator) Clock() (wm, maxRecv int64) { return a.wm, a.maxRecv }

// Acknowledged is the offset in the log up to which the store has told that it has the rows, 0 before it has: that of the newest watermark that it has
// acknowledged. The watermark itself may stand still for hours, while rows leave.
func (a *Aggregator) Acknowledged() int64 { return a.durable().at }
