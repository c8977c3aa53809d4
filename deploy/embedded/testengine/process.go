package testengine

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/livemeter/livemeter/deploy/embedded"
	"github.com/livemeter/livemeter/deploy/embedded/chhttp"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

// Main is for the TestMain of packages that use ClickHouseProcess: it lets the test binary be that process.
//
//	func TestMain(m *testing.M) { testengine.Main(m) }
func Main(m *testing.M) {
	if len(os.Args) >= 7 && os.Args[1] == "engine" && os.Args[2] == "clickhouse" {
		if err := serve(os.Args[4], os.Args[6]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serve(dir, addr string) error {
	ctx := context.Background()
	lib, err := engines.ClickHouse(ctx, Progress)
	if err != nil {
		return err
	}
	return embedded.ClickHouseMain(ctx, lib, dir, addr, chhttp.Options{})
}

// ClickHouseProcess starts a ClickHouse on dir in a process of its own, for tests that kill it or this process. TestMain must call Main.
func ClickHouseProcess(t testing.TB, dir, addr string) *embedded.ClickHouseProcess {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatalf("testengine: %v", err)
	}
	p, err := embedded.StartClickHouseProcess(t.Context(), exe, dir, addr)
	if err != nil {
		t.Fatalf("testengine: %v", err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}
