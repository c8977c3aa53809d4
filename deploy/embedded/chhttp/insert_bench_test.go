package chhttp_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/livemeter/livemeter/deploy/embedded/testengine"
)

// BenchmarkInsert is an INSERT of 10k rows as the sink sends them: 35 columns in Native. cpu-µs counts the engine's threads too.
func BenchmarkInsert(b *testing.B) {
	addr, db := testengine.ClickHouse(b)
	const columns = "[number % 5, number % 7, number % 11, number % 13, number % 17, number % 19, number % 23, number % 29] AS a"
	testengine.Exec(b, addr, "CREATE TABLE "+db+".t (k UInt64, s String, a Array(UInt64), b Array(UInt64), c Array(UInt64), d Array(UInt64), v UInt64) "+
		"ENGINE = ReplacingMergeTree(v) ORDER BY k")
	rows := testengine.Exec(b, addr, "SELECT number AS k, toString(number) AS s, "+columns+", a AS b, a AS c, a AS d, number AS v FROM numbers(10000) FORMAT Native")
	target := "http://" + addr + "/?" + url.Values{"query": {"INSERT INTO " + db + ".t FORMAT Native"}}.Encode()
	b.SetBytes(int64(len(rows)))
	before := cpu(b)
	for b.Loop() {
		res, err := http.Post(target, "", bytes.NewReader([]byte(rows)))
		if err != nil {
			b.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			b.Fatalf("%s %s", res.Status, text)
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func cpu(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
