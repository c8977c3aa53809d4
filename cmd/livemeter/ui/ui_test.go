package ui

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Count(0), "0"}, {Count(999), "999"}, {Count(1000), "1,000"}, {Count(-1234567), "-1,234,567"}, {Count(math.MinInt64), "-9,223,372,036,854,775,808"},
		{Money(25805, "CNY"), "258.05 CNY"}, {Money(-5, "USD"), "-0.05 USD"}, {Money(1234, "JPY"), "1,234 JPY"}, {Money(1234, "KWD"), "1.234 KWD"}, {Money(0, ""), "0.00"},
		{Ratio(1, 8), "12.5%"}, {Ratio(1, 0), "–"},
		{Age(-time.Second), "0 ms"}, {Age(250 * time.Millisecond), "250 ms"}, {Age(90 * time.Second), "2 min"}, {Age(1500 * time.Millisecond), "1.5 s"},
		{Sparkline([]int64{0, 1, 4, 8}), " ▂▅█"}, {Sparkline([]int64{0, 0}), "  "}, {Sparkline(nil), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestPlainOutputHasNoEscapes(t *testing.T) {
	var b bytes.Buffer
	term := NewTerminal(&b)
	if term.TTY || term.Color {
		t.Fatal("a buffer is taken for a terminal")
	}
	lines := term.Table([]Column{{"room", false}, {"online", true}}, [][]string{{"r_1", "7"}, {"r_20", "1,000"}})
	want := "room  online\nr_1        7\nr_20   1,000"
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLinesAreCutToTheWindow(t *testing.T) {
	if got, want := cut("\x1b[1mäbcdef\x1b[0m", 3), "\x1b[1mäbc\x1b[0m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := cut("abc", 3); got != "abc" {
		t.Errorf("got %q, want it whole", got)
	}
}
