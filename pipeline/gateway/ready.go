package gateway

import (
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	readyPath = "/readyz"
	// readyFor is how long an answer about Kafka is given again: whoever reaches the port may ask.
	readyFor = time.Second
)

// readiness is what load balancers are told.
type readiness struct {
	mu  sync.Mutex // held while Kafka is asked: who asks meanwhile gets the same answer
	at  time.Time
	err error
}

// ready answers for the gateway alone: other parts of the same process may fail while it takes and keeps events.
func (s *Server) ready(w http.ResponseWriter) {
	s.readiness.mu.Lock()
	if time.Since(s.readiness.at) >= readyFor {
		s.readiness.err = s.Ready()
		s.readiness.at = time.Now()
		if s.readiness.err != nil {
			s.log.Warn("not ready", zap.Error(s.readiness.err)) // not for strangers
		}
	}
	err := s.readiness.err
	s.readiness.mu.Unlock()
	if err != nil {
		problemNotReady().write(w)
		return
	}
	writeJSON(w, http.StatusOK, map[string]bool{"ready": true})
}
