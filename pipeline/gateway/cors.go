package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// cors lets pages of the allowed origins send events and read answers. It keeps nobody out who is no browser: that is what tokens are for.
type cors struct {
	origins []string
	any     bool
}

func newCORS(origins []string) cors {
	return cors{origins: origins, any: slices.Contains(origins, "*")}
}

// mark sets the headers for an allowed origin, which the gateway's own always is, and says whether the origin is one.
func (c cors) mark(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	switch {
	case origin == "":
		return false
	case slices.Contains(c.origins, origin) || isOwn(origin, r.Host):
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

// isOwn says whether a page comes from the host that was asked. Where TLS is terminated in front, the gateway does not know the scheme.
func isOwn(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host) // that of "null" is empty, as a missing Host is
}

// preflight answers OPTIONS after mark.
func preflight(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", "POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding")
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
