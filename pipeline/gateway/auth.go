package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// caller is who may post: a token, or everybody where there are none.
type caller struct {
	name   string
	digest [sha256.Size]byte
	limit  *rate.Limiter // nil: no limit
}

// gate knows the callers.
type gate struct {
	callers []caller
	open    *caller // set where no tokens are configured
}

func newGate(cfg Config) *gate {
	if len(cfg.Tokens) == 0 {
		return &gate{open: &caller{limit: newLimiter(cfg.RatePerToken)}}
	}
	g := &gate{}
	for _, t := range cfg.Tokens {
		perSecond := t.Rate
		if perSecond == 0 {
			perSecond = cfg.RatePerToken
		}
		g.callers = append(g.callers, caller{name: t.Name, digest: sha256.Sum256([]byte(t.Secret)), limit: newLimiter(perSecond)})
	}
	return g
}

// newLimiter allows a burst of one second, and always one whole batch: else the largest batch could never pass.
func newLimiter(perSecond float64) *rate.Limiter {
	if perSecond == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), int(min(max(perSecond, MaxEvents), 1e9)))
}

// admit returns the caller whose secret the request carries, or nil. Digests are compared, all of them and in constant time: the time
// tells neither which token came close nor how long a secret is. The query is for navigator.sendBeacon, which cannot set headers.
func (g *gate) admit(r *http.Request) *caller {
	if g.open != nil {
		return g.open
	}
	secret := r.URL.Query().Get("token")
	if header := r.Header.Get("Authorization"); header != "" {
		scheme, rest, _ := strings.Cut(header, " ")
		if secret = strings.TrimSpace(rest); !strings.EqualFold(scheme, "Bearer") {
			return nil
		}
	}
	digest := sha256.Sum256([]byte(secret))
	var found *caller
	for i := range g.callers {
		if subtle.ConstantTimeCompare(digest[:], g.callers[i].digest[:]) == 1 {
			found = &g.callers[i]
		}
	}
	return found
}

// take charges n events, or says how long to wait until they fit and charges nothing.
func (c *caller) take(now time.Time, n int) (wait time.Duration, ok bool) {
	if c.limit == nil {
		return 0, true
	}
	r := c.limit.ReserveN(now, n)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}
