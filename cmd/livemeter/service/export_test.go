package service

import "github.com/prometheus/client_golang/prometheus"

// Registry is what /metrics shows.
func (p *Process) Registry() *prometheus.Registry { return p.registry }

// RunReader is what the configuration says of the reader in run.
var RunReader = runReader
