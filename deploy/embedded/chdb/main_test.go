package chdb_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
)

var (
	testContext context.Context
	testDir     string
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "chdb-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	testContext, testDir = ctx, dir
	code := m.Run()
	if e, err := open(); err == nil {
		if err := e.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}
