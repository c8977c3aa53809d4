package chdb_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
)

// A statement that failed, or was given up, must not go on holding its table on an idle connection: another's DROP … SYNC would wait for ever.
func TestEndedStatementsLetGoOfTheirTable(t *testing.T) {
	const endless = "SELECT number, a FROM numbers(100000000) AS n, held"
	for name, use := range map[string]func(c *chdb.Conn) error{
		"query fails":              func(c *chdb.Conn) error { return fails(c.Query("SELECT throwIf(a = 7) FROM held", "TSV")) },
		"INSERT does not parse":    func(c *chdb.Conn) error { return insert(c, strings.NewReader("x\n")) },
		"INSERT breaks constraint": func(c *chdb.Conn) error { return insert(c, strings.NewReader("1000\n")) },
		"INSERT is given up":       func(c *chdb.Conn) error { return insert(c, iotest.ErrReader(errors.New("gone"))) },
		"stream fails at once":     func(c *chdb.Conn) error { return fetch(c, "SELECT nope FROM held", 1) },
		"stream fails later": func(c *chdb.Conn) error {
			return fetch(c, "SELECT throwIf(number = 3000000), a FROM numbers(9000000) AS n, held", 1<<30)
		},
		"stream is given up": func(c *chdb.Conn) error { return errors.Join(fetch(c, endless, 1), errors.New("given up")) },
	} {
		t.Run(name, func(t *testing.T) {
			user, dropper := conn(t, chdb.Env{}), conn(t, chdb.Env{})
			query(t, dropper, "CREATE TABLE held (a UInt64, CONSTRAINT small CHECK a < 100) ENGINE = MergeTree ORDER BY a")
			query(t, dropper, "INSERT INTO held SELECT 7")
			if err := use(user); err == nil {
				t.Error("it did not fail")
			}
			dropped := make(chan error, 1)
			go func() { dropped <- fails(dropper.Query("DROP TABLE held SYNC", "TSV")) }()
			select {
			case err := <-dropped:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(20 * time.Second):
				t.Error("the table is still held")
				query(t, user, "SELECT 1")
				<-dropped
			}
		})
	}
}

func fails(_ []byte, _ chdb.Stats, err error) error { return err }

func insert(c *chdb.Conn, data io.Reader) error {
	_, err := c.Insert("INSERT INTO held", "TabSeparated", data)
	return err
}

// fetch reads up to so many pieces of a result.
func fetch(c *chdb.Conn, sql string, pieces int) error {
	rows, err := c.Stream(sql, "TabSeparated")
	if err != nil {
		return err
	}
	defer rows.Close()
	for range pieces {
		if piece, err := rows.Next(); err != nil || piece == nil {
			return err
		}
	}
	return nil
}
