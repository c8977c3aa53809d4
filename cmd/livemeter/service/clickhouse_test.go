package service_test

import (
	"fmt"
	"strings"
	"testing"

	ch "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/sinks/clickhouse"
)

// What the sink does not repeat is explained with the keys that mend it, whichever code the server says it by.
func TestStoreErrorsAreExplained(t *testing.T) {
	for code, want := range map[int32]string{
		60: "lacks livemeter tables", 81: "lacks livemeter tables", 192: "clickhouse.user", 194: "clickhouse.user", 516: "clickhouse.user",
		164: "lacks a right", 291: "lacks a right", 497: "lacks a right", 47: "schema apply",
	} {
		err := fmt.Errorf("clickhouse: %w", &ch.Exception{Code: code, Message: "no"})
		if told := service.StoreError(config.Default(), err); !strings.Contains(told.Error(), want) || !clickhouse.IsPermanent(told) {
			t.Errorf("%d: %v, want %q and permanent", code, told, want)
		}
	}
	if err := (&ch.Exception{Code: 252, Message: "Too many parts"}); clickhouse.IsPermanent(service.StoreError(config.Default(), err)) {
		t.Error("too many parts pass")
	}
}
