package runtime

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// register registers collectors of one owner; a nil reg keeps them private.
func register(reg prometheus.Registerer, cs ...prometheus.Collector) error {
	if reg == nil {
		return nil
	}
	var errs []error
	for _, c := range cs {
		errs = append(errs, reg.Register(c))
	}
	return errors.Join(errs...)
}

// registerShared registers c, or takes in its place the one that another part of the process has registered with reg.
func registerShared[C prometheus.Collector](reg prometheus.Registerer, c *C) error {
	err := reg.Register(*c)
	if there := (prometheus.AlreadyRegisteredError{}); errors.As(err, &there) {
		same, ok := there.ExistingCollector.(C)
		if !ok {
			return fmt.Errorf("register metrics: %w", err)
		}
		*c = same
		return nil
	}
	if err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}
