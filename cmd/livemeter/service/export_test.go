package service

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/livemeter/livemeter/pipeline/collect"
	"github.com/livemeter/livemeter/pipeline/fused"
)

// Registry is what /metrics shows.
func (p *Process) Registry() *prometheus.Registry { return p.registry }

// Panics makes stages panic: over a record when it is decoded, or packed, and as fused.Faults says.
func (p *Process) Panics(decode, packed func(*collect.Record), tasks fused.Faults) {
	p.faults = faults{decode, packed, tasks}
}

// RunReader is what the configuration says of the reader in run.
var RunReader = runReader
