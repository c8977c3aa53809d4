package chhttp_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// INSERTs that their clients cut off in the middle leave nothing behind, and take nothing of what others wrote meanwhile.
func TestCutOffInsertsAmongOthers(t *testing.T) {
	s := start(t)
	s.post("CREATE TABLE cut (a UInt64) ENGINE = MergeTree ORDER BY a").want(t, 200, "")
	const cutters, cuts, writers = 2, 200, 4
	var acknowledged atomic.Uint64
	stop := make(chan struct{})
	var writing, cutting sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := 1; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				r := s.post(fmt.Sprintf("INSERT INTO cut VALUES (%d)", (w+1)*1_000_000+i))
				if r.status != http.StatusOK {
					t.Errorf("INSERT: %d %s", r.status, r.body)
					return
				}
				acknowledged.Add(1)
			}
		})
	}
	for range cutters {
		cutting.Go(func() {
			for i := range cuts {
				rows := []int{0, 1, 200_000}[i%3]
				if i%50 == 49 {
					rows = 5_000_000 // more than is kept in memory
				}
				s.cutOff("INSERT INTO cut FORMAT TSV", strings.Repeat("7\n", rows))
			}
		})
	}
	cutting.Wait()
	close(stop)
	writing.Wait()
	if acknowledged.Load() < writers {
		t.Errorf("only %d INSERTs were acknowledged meanwhile", acknowledged.Load())
	}
	s.post("SELECT countIf(a < 1000), countIf(a > 1000), uniqExactIf(a, a > 1000) FROM cut").
		want(t, 200, fmt.Sprintf("0\t%d\t%[1]d\n", acknowledged.Load()))
}

// cutOff sends the start of a body that is announced as longer, and hangs up.
func (s server) cutOff(sql, start string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer conn.Close()
	query := url.Values{"database": {s.db}, "query": {sql}}.Encode()
	_, err = fmt.Fprintf(conn, "POST /?%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", query, s.addr, len(start)+1, start)
	if err != nil {
		s.t.Error(err)
		return
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		s.t.Error(err)
	}
	if answer, _ := io.ReadAll(conn); !strings.HasPrefix(string(answer), "HTTP/1.1 500 ") {
		s.t.Errorf("the cut-off INSERT was answered %.300q", answer)
	}
}

// A client that goes away in the middle of a result ends its statement, and what that read is free again.
func TestCutOffResults(t *testing.T) {
	s := start(t)
	s.post("CREATE TABLE read (a UInt64) ENGINE = MergeTree ORDER BY a").want(t, 200, "")
	s.post("INSERT INTO read SELECT number FROM numbers(1000)").want(t, 200, "")
	query := url.Values{"database": {s.db}, "query": {"SELECT n.number, a FROM numbers(1000000000) AS n, read"}}.Encode()
	for range 100 {
		res, err := http.Get("http://" + s.addr + "/?" + query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, res.Body, 100_000); err != nil {
			t.Error(err)
		}
		res.Body.Close()
	}
	s.post("DROP TABLE read SYNC").want(t, 200, "") // waits for the statements that read it
	s.post("SELECT count() FROM system.processes WHERE query LIKE '%numbers(1000000000)%' AND query NOT LIKE '%system.processes%'").want(t, 200, "0\n")
}

func TestInsertLargerThanMemory(t *testing.T) {
	s := start(t)
	s.post("CREATE TABLE large (a UInt64) ENGINE = MergeTree ORDER BY a").want(t, 200, "")
	const rows = 3_000_000 // of 8 bytes: more than is kept in memory
	r := s.post(strings.Repeat("1234567\n", rows), "query", "INSERT INTO large FORMAT TSV")
	r.want(t, 200, "")
	s.post("SELECT count(), sum(a = 1234567) FROM large").want(t, 200, fmt.Sprintf("%d\t%[1]d\n", rows))
}
