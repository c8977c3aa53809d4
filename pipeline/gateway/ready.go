package gateway

import (
	"errors"
	"net/http"
)

const readyPath = "/readyz"

// Ready says why the gateway cannot store events at the moment, or nil. It answers at once.
func (s *Server) Ready() error { return s.health.ready() }

// Failing is the outage of Kafka that has been seen and not been seen to end, nil if none: what Ready gives the benefit of the doubt is one, too.
func (s *Server) Failing() *Outage { return s.health.failing() }

// ready answers load balancers for the gateway alone: other parts of the same process may fail while it takes and keeps events.
func (s *Server) ready(w http.ResponseWriter) {
	err := s.Ready()
	if err == nil {
		writeJSON(w, http.StatusOK, map[string]bool{"ready": true})
		return
	}
	var o *Outage // the cause is not for strangers
	problemNotReady(errors.As(err, &o) && !o.Silent).write(w)
}
