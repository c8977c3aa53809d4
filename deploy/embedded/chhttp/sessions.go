package chhttp

import (
	"sync"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
)

// maxSessions bounds the sessions kept; at the limit the one that has been idle longest ends.
const maxSessions = 256

// sessions keeps a connection for each session_id, until it has not been used for its time-out.
type sessions struct {
	engine *chdb.Engine
	mu     sync.Mutex
	byID   map[string]*session
	closed bool
}

type session struct {
	conn  *chdb.Conn
	busy  bool
	used  time.Time
	timer *time.Timer
}

func (s *sessions) acquire(q request) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, chdb.ErrClosed
	}
	if found := s.byID[q.session]; found != nil {
		if found.busy {
			return nil, fail(codeSessionLocked, "SESSION_IS_LOCKED", "Session %s is locked by a concurrent client", q.session)
		}
		found.busy = true
		found.timer.Stop()
		return found, nil
	}
	if q.sessionCheck {
		return nil, fail(codeSessionNotFound, "SESSION_NOT_FOUND", "Session %s not found", q.session)
	}
	s.makeRoom()
	conn, err := s.engine.Connect()
	if err != nil {
		return nil, err
	}
	made := &session{conn: conn, busy: true}
	s.byID[q.session] = made
	return made, nil
}

// makeRoom is called with the lock held.
func (s *sessions) makeRoom() {
	if len(s.byID) < maxSessions {
		return
	}
	oldest := ""
	for id, one := range s.byID {
		if !one.busy && (oldest == "" || one.used.Before(s.byID[oldest].used)) {
			oldest = id
		}
	}
	if oldest != "" {
		s.end(oldest)
	}
}

func (s *sessions) end(id string) {
	s.byID[id].timer.Stop()
	s.byID[id].conn.Close()
	delete(s.byID, id)
}

func (s *sessions) release(q request, one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one.busy, one.used = false, time.Now()
	one.timer = time.AfterFunc(q.sessionTimeout, func() { s.expire(q.session, one) })
	if q.sessionClose || s.closed {
		s.end(q.session)
	}
}

func (s *sessions) expire(id string, one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A client may have come back while the timer waited for the lock.
	if s.byID[id] == one && !one.busy && time.Since(one.used) > 0 {
		s.end(id)
	}
}

// close ends all sessions; those in use end when their statement does.
func (s *sessions) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for id, one := range s.byID {
		if !one.busy {
			s.end(id)
		}
	}
}
