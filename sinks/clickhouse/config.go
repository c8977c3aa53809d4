// Package clickhouse stores rollups in ClickHouse: the tables and views, the columnar upsert writer, and the roller that folds closed
// partials and takes the peaks of longer windows. It knows the pipeline only by the leaf packages rollup and measure.
package clickhouse

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/livemeter/livemeter/pipeline/measure"
)

// Protocols of Config.Protocol.
const (
	Native = "native"
	HTTP   = "http"
)

// Config says where ClickHouse is and how long rows are kept. The zero value of a field takes its default.
type Config struct {
	Addr        []string // host:port, tried in order; default 127.0.0.1:8123
	Protocol    string   // http (default) or native
	Database    string   // default livemeter
	User        string   // default "default"
	Password    string
	TLS         *tls.Config   // nil: none
	Compression string        // of blocks on the wire: none (default) or lz4
	DialTimeout time.Duration // for one connection; default 5 s
	// WriteTimeout bounds one attempt of one INSERT; default 20 s.
	WriteTimeout time.Duration
	// Parallel is how many INSERTs of one batch run at a time; default 2.
	Parallel int
	// MaxBlockRows bounds the rows of one INSERT, and with that the memory of client and server; default 200 000, at most 500 000.
	MaxBlockRows int
	// TTLDays is how long a grain is kept, in order of measure.Grain; 0: for ever. nil takes 14, 90, 1095, 1095, 1095. Days and sessions are
	// read from hours, which are kept as long as the longest of the three, and all of them from minutes while an hour is not final; panes of 10 s are part of minutes and go with them at the latest.
	TTLDays []int
	// TakeOver lets this log's numbers be shown by a database that shows another log's: see EnsureEpoch.
	TakeOver bool
	// Zone is the shop's, an IANA name, for days: the same as the pipeline's; default Asia/Shanghai.
	Zone string
}

// defaultTTLDays are: fine grains are for the show and the days after it, coarse ones for years.
var defaultTTLDays = [measure.NumGrains]int{14, 90, 1095, 1095, 1095}

const maxBlockRows = 500_000

// WithDefaults returns c with its empty fields filled.
func (c Config) WithDefaults() Config {
	if len(c.Addr) == 0 {
		c.Addr = []string{"127.0.0.1:8123"}
	}
	if c.TTLDays == nil {
		c.TTLDays = defaultTTLDays[:]
	}
	setDefault(&c.Protocol, HTTP)
	setDefault(&c.Database, "livemeter")
	setDefault(&c.User, "default")
	setDefault(&c.Compression, "none")
	setDefault(&c.DialTimeout, 5*time.Second)
	setDefault(&c.WriteTimeout, 20*time.Second)
	setDefault(&c.Parallel, 2)
	setDefault(&c.MaxBlockRows, 200_000)
	setDefault(&c.Zone, "Asia/Shanghai")
	return c
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// The database name stands in DDL text, so it is held to what needs no quoting.
var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,62}$`)

// Validate returns all mistakes at once, each with its key in a configuration file. Defaults count as given.
func (c Config) Validate() error {
	c = c.WithDefaults()
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("clickhouse."+format, args...))
		}
	}
	for _, a := range c.Addr {
		host, port, err := net.SplitHostPort(a)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		bad(err == nil && !strings.ContainsAny(host, " \t\r\n,;/@"), "addr %q: want host:port", a) // what no host is called is looked up in vain, for ever
	}
	bad(c.Protocol == HTTP || c.Protocol == Native, "protocol %q: want http or native", c.Protocol)
	bad(identifier.MatchString(c.Database), "database %q: want a name of letters, digits and underscore", c.Database)
	bad(c.Compression == "none" || c.Compression == "lz4", "compression %q: want none or lz4", c.Compression)
	bad(c.DialTimeout > 0, "dial_timeout %v: want above 0", c.DialTimeout)
	bad(c.WriteTimeout > 0, "write_timeout %v: want above 0", c.WriteTimeout)
	bad(c.Parallel >= 1 && c.Parallel <= 32, "parallel %d: want 1 to 32", c.Parallel)
	bad(c.MaxBlockRows >= 1000 && c.MaxBlockRows <= maxBlockRows, "max_block_rows %d: want 1000 to %d", c.MaxBlockRows, maxBlockRows)
	bad(len(c.TTLDays) == len(measure.GrainNames), "ttl: %d values, want one for each of %v", len(c.TTLDays), measure.GrainNames)
	for g, d := range c.TTLDays[:min(len(c.TTLDays), len(measure.GrainNames))] {
		bad(d >= 0 && d <= 10_000, "ttl.%s %d days: want 0 (for ever) to 10000", measure.GrainNames[g], d)
	}
	_, err := time.LoadLocation(c.Zone)
	bad(err == nil && c.Zone != "Local", "zone %q: want an IANA name", c.Zone) // the server has another idea of Local
	return errors.Join(errs...)
}
