package runtime

import (
	"fmt"
	"time"
)

// mistakes of a configuration.
type mistakes []error

func (m *mistakes) add(bad bool, format string, args ...any) {
	if bad {
		*m = append(*m, fmt.Errorf(format, args...))
	}
}

// pace holds a time after which something is done again to what a process can be seen to live with.
func (m *mistakes) pace(key string, d time.Duration) {
	m.add(d <= 0 || d > time.Hour, "%s %v: want above 0 and at most 1h", key, d)
}
