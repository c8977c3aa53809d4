package event

const sevenDays = 7 * 24 * 60 * 60 * 1000

// EventTime repairs a producer's clock by contract.md, Time: event_ts = recv − max(0, sent − client), so that only the time a record
// waited on the device counts, never the device's idea of now. A wait of more than 7 days is cut to 7 days (clamped); sent before
// client gives recv (negative). client and sent are in 0…MaxTime, as Decode has made sure.
func EventTime(recv, client, sent int64) (ts int64, clamped, negative bool) {
	wait := sent - client
	switch {
	case wait < 0:
		return recv, false, true
	case wait > sevenDays:
		return recv - sevenDays, true, false
	}
	return recv - wait, false, false
}
