package gateway

import (
	"net/http"
	"slices"
)

// cors lets pages of the allowed origins read answers. It keeps nobody out who is no browser: that is what tokens are for.
type cors struct {
	origins []string
	any     bool
}

func newCORS(origins []string) cors {
	return cors{origins: origins, any: slices.Contains(origins, "*")}
}

// mark sets the headers for an allowed origin and says whether the origin is one.
func (c cors) mark(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	switch {
	case origin == "":
		return false
	case slices.Contains(c.origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
		// sendBeacon always sends with credentials, and browsers then refuse an answer without this. The gateway reads no cookies.
		h.Set("Access-Control-Allow-Credentials", "true")
	case c.any:
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		return false
	}
	h.Set("Access-Control-Expose-Headers", "Retry-After")
	return true
}

// preflight answers OPTIONS after mark.
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
