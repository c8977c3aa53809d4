package gateway

import (
	"bytes"
	"errors"
)

var (
	errTooManyEvents = errors.New("too many events")
	errEmptyBody     = errors.New("the body is empty")
)

const jsonSpace = " \t\r\n"

// split cuts a body into its events. They share the body's memory. lines says that the body is declared as NDJSON; else the first byte
// decides: an array begins with '['. A broken array is a *syntaxError; lines are judged one by one later, so NDJSON has none.
func split(body []byte, lines bool, limit int) ([][]byte, error) {
	first := bytes.TrimLeft(body, jsonSpace)
	if len(first) == 0 {
		return nil, errEmptyBody
	}
	if !lines && first[0] == '[' {
		return splitArray(body, limit)
	}
	return splitLines(body, limit)
}

// splitArray accepts exactly the JSON arrays: an error anywhere, also inside an element, leaves the borders of the elements in doubt,
// so the whole body is refused.
func splitArray(body []byte, limit int) ([][]byte, error) {
	s := scanner{data: body}
	i := s.space(s.space(0) + 1) // behind the '['
	var events [][]byte
	for more := s.at(i) != ']'; more; {
		if len(events) == limit {
			return nil, errTooManyEvents
		}
		end, ok := s.value(i)
		if !ok {
			return nil, s.err
		}
		events = append(events, body[i:end:end])
		i = s.space(end)
		if more = s.at(i) == ','; more {
			i = s.space(i + 1)
		} else if s.at(i) != ']' {
			s.fail(i, "want ',' or ']'")
			return nil, s.err
		}
	}
	if i = s.space(i + 1); i < len(body) {
		s.fail(i, "something follows the array")
		return nil, s.err
	}
	return events, nil
}

// splitLines skips lines of nothing but white space; they have no index.
func splitLines(body []byte, limit int) ([][]byte, error) {
	var events [][]byte
	for line := range bytes.SplitSeq(body, []byte{'\n'}) {
		line = bytes.Trim(line, jsonSpace)
		if len(line) == 0 {
			continue
		}
		if len(events) == limit {
			return nil, errTooManyEvents
		}
		events = append(events, line[:len(line):len(line)])
	}
	return events, nil
}
