package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"
)

// Limits of one request. They are part of the interface (openapi.yaml), not of the configuration.
const (
	MaxBodyBytes   = 500_000 // on the wire and again after decompression
	MaxEvents      = 2_500
	minSecretBytes = 16

	// minInFlightBytes is above what one compressed body of the largest size takes, packed and unpacked.
	minInFlightBytes = 1 << 20
)

// shutdownGrace bounds how long a stopping server waits for requests in flight. ProduceTimeout stays below it, so that a request that
// only waits for Kafka is always answered.
const shutdownGrace = 10 * time.Second

// Token lets one SDK or server post events.
type Token struct {
	Name   string  // shown in logs, never the secret
	Secret string  // at least 16 bytes
	Rate   float64 // events a second; 0 takes Config.RatePerToken
}

// Config of the gateway. A zero value of any field takes the default named beside it.
type Config struct {
	Addr             string           // 127.0.0.1:8080
	Tokens           []Token          // none: everybody may post, on a loopback address only
	AllowOpen        bool             // listen beyond loopback without tokens all the same
	RatePerToken     float64          // events a second for each token (all callers together where there are none); 0: no limit
	AllowedOrigins   []string         // browser origins such as https://shop.example, or "*", whose pages may send; those of the gateway's own host always may
	MaxInFlightBytes int64            // 64 MiB: bodies being read or waiting for Kafka, over all requests
	MaxConnections   int              // 2048 open at a time; more wait until one ends
	ProduceTimeout   time.Duration    // 5 s: how long a request waits for Kafka's acknowledgement before it is answered 503
	ReadTimeout      time.Duration    // 15 s: headers and body of one request
	Now              func() time.Time // time.Now; the receive time of the events
}

// WithDefaults returns c with its empty fields filled.
func (c Config) WithDefaults() Config {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:8080"
	}
	if c.MaxInFlightBytes == 0 {
		c.MaxInFlightBytes = 64 << 20
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 2048
	}
	if c.ProduceTimeout == 0 {
		c.ProduceTimeout = 5 * time.Second
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = 15 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Validate returns all mistakes at once, each with its key in a configuration file. Defaults count as given.
func (c Config) Validate() error {
	c = c.WithDefaults()
	errs := []error{c.checkAddr()}
	errs = append(errs, c.checkTokens()...)
	for i, o := range c.AllowedOrigins {
		if !validOrigin(o) {
			errs = append(errs, fmt.Errorf("gateway.allowed_origins[%d] %q: want \"*\" or scheme://host[:port] without a path", i, o))
		}
	}
	if !(c.RatePerToken >= 0) {
		errs = append(errs, fmt.Errorf("gateway.rate_per_token %v: want events a second, 0 for no limit", c.RatePerToken))
	}
	if c.MaxInFlightBytes < minInFlightBytes {
		errs = append(errs, fmt.Errorf("gateway.max_in_flight_bytes %d: want at least %d, what one compressed body of the largest size takes", c.MaxInFlightBytes, minInFlightBytes))
	}
	if c.MaxConnections < 1 {
		errs = append(errs, fmt.Errorf("gateway.max_connections %d: want 1 or more", c.MaxConnections))
	}
	if c.ProduceTimeout < 0 || c.ProduceTimeout >= shutdownGrace {
		errs = append(errs, fmt.Errorf("gateway.produce_timeout %v: want above 0 and below %v, the time a stopping gateway gives to requests in flight", c.ProduceTimeout, shutdownGrace))
	}
	if c.ReadTimeout < 0 {
		errs = append(errs, fmt.Errorf("gateway.read_timeout %v: want above 0", c.ReadTimeout))
	}
	return errors.Join(errs...)
}

func (c Config) checkAddr() error {
	host, port, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("gateway.addr %q: want host:port: %w", c.Addr, err)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("gateway.addr %q: %q is no port", c.Addr, port)
	}
	if len(c.Tokens) == 0 && !c.AllowOpen && !isLoopback(host) {
		return fmt.Errorf("gateway.addr %q is reachable from other machines and gateway.tokens is empty: give tokens, "+
			"listen on 127.0.0.1, or set gateway.allow_open", c.Addr)
	}
	return nil
}

func (c Config) checkTokens() []error {
	var errs []error
	names, secrets := map[string]bool{}, map[string]bool{}
	for i, t := range c.Tokens {
		at := fmt.Sprintf("gateway.tokens[%d] (%q)", i, t.Name)
		if t.Name == "" || names[t.Name] {
			errs = append(errs, fmt.Errorf("%s: want a name of its own", at))
		}
		if len(t.Secret) < minSecretBytes {
			errs = append(errs, fmt.Errorf("%s: the secret has %d bytes, want at least %d", at, len(t.Secret), minSecretBytes))
		} else if secrets[t.Secret] {
			errs = append(errs, fmt.Errorf("%s: another token has the same secret", at))
		}
		if !(t.Rate >= 0) {
			errs = append(errs, fmt.Errorf("%s: rate %v: want events a second, 0 for the common rate", at, t.Rate))
		}
		names[t.Name], secrets[t.Secret] = true, true
	}
	return errs
}

// isLoopback is false for names other than localhost: what they resolve to can change after the check.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func validOrigin(o string) bool {
	if o == "*" {
		return true
	}
	u, err := url.Parse(o)
	return err == nil && u.Scheme != "" && u.Host != "" && u.Scheme+"://"+u.Host == o
}
