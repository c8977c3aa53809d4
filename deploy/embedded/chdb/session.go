package chdb

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Env is what a statement wants of its session: the current database, and settings that differ from the defaults.
type Env struct {
	Database string // "" is "default"
	Settings map[string]string
}

// session is what a connection is set to now.
type session struct {
	database string
	settings map[string]string
	spoiled  bool
}

// maxIdle bounds the connections kept for the next statement; how many are lent out is bounded by the caller.
const maxIdle = 16

var ErrClosed = errors.New("chdb: the engine is closed")

// Acquire lends a connection of the pool, set to env. Release gives it back.
func (e *Engine) Acquire(env Env) (*Conn, error) {
	c, err := e.take(env)
	if err != nil {
		return nil, err
	}
	if err := c.apply(env); err != nil {
		c.Spoil()
		e.Release(c)
		return nil, err
	}
	if latched(env.Settings) {
		c.Spoil()
	}
	return c, nil
}

// latched: these settings forbid that they, and others, are changed again. Who gets the connection next could set nothing.
func latched(settings map[string]string) bool {
	readonly, allowed := settings["readonly"], settings["allow_ddl"]
	return readonly != "" && readonly != "0" || allowed != "" && allowed != "1"
}

// take prefers an idle connection that is set to env already: a client sends the same settings with each statement.
func (e *Engine) take(env Env) (*Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	e.open.Add(1)
	if n := len(e.idle); n > 0 {
		at := slices.IndexFunc(e.idle, func(c *Conn) bool { return c.session.is(env) })
		if at < 0 {
			at = n - 1
		}
		c := e.idle[at]
		e.idle = slices.Delete(e.idle, at, at+1)
		return c, nil
	}
	c, err := e.connect()
	if err != nil {
		e.open.Done()
	}
	return c, err
}

// Release gives back a connection that Acquire lent.
func (e *Engine) Release(c *Conn) {
	defer e.open.Done()
	e.mu.Lock()
	keep := !e.closed && !c.session.spoiled && len(e.idle) < maxIdle
	if keep {
		e.idle = append(e.idle, c)
	}
	e.mu.Unlock()
	if !keep {
		c.Close()
	}
}

// Spoil marks a connection whose session a statement changed (SET, USE, a temporary table): Release closes it instead of lending it again.
func (c *Conn) Spoil() { c.session.spoiled = true }

func (s *session) is(env Env) bool {
	return s.database == env.Database && maps.Equal(s.settings, env.Settings)
}

// Apply sets the connection's database and settings to env.
func (c *Conn) Apply(env Env) error { return c.apply(env) }

func (c *Conn) apply(env Env) error {
	if c.session.is(env) {
		return nil
	}
	if c.session.database != env.Database {
		if _, _, err := c.Query("USE "+identifier(cmp.Or(env.Database, "default")), "TSV"); err != nil {
			return err
		}
		c.session.database = env.Database
	}
	if sql := difference(c.session.settings, env.Settings); sql != "" {
		if _, _, err := c.Query(sql, "TSV"); err != nil {
			return err
		}
	}
	c.session.settings = maps.Clone(env.Settings)
	return nil
}

// difference is the SET that leads from one group of settings to another.
func difference(from, to map[string]string) string {
	var changes []string
	for name := range from {
		if _, kept := to[name]; !kept {
			changes = append(changes, identifier(name)+" = DEFAULT")
		}
	}
	for name, value := range to {
		if old, set := from[name]; !set || old != value {
			changes = append(changes, fmt.Sprintf("%s = %s", identifier(name), literal(value)))
		}
	}
	if len(changes) == 0 {
		return ""
	}
	slices.Sort(changes)
	return "SET " + strings.Join(changes, ", ")
}

var escape = strings.NewReplacer("\\", "\\\\", "'", "\\'", "`", "\\`", "\x00", "\\0")

// identifier quotes a name for SQL.
func identifier(name string) string { return "`" + escape.Replace(name) + "`" }

// literal quotes a string for SQL.
func literal(s string) string { return "'" + escape.Replace(s) + "'" }
