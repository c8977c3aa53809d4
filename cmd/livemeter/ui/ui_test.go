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

// The table of the demo in a window of 80 columns: freshness is the number it is about.
func TestANarrowWindowKeepsFreshness(t *testing.T) {
	now := time.Now()
	rooms := []Room{{Platform: "douyin", Room: "r_00042", Session: "ls_00042_20261122", Online: 1234, Viewers: 123456, Interactors: 1234, Orders: 1234,
		GMV: 123456789, Currency: "CNY", Currencies: 2, Updated: now.Add(-250 * time.Millisecond)}}
	wide := new(Terminal).RoomTable(rooms, now, Freshness)
	for _, columns := range []int{80, 60} {
		narrow := (&Terminal{TTY: true, fd: -1, columns: columns}).RoomTable(rooms, now, Freshness)
		for i, line := range narrow {
			if visible(line) > columns || !strings.HasSuffix(line, []string{"freshness", "250 ms"}[i]) {
				t.Errorf("%d columns: %q", columns, line)
			}
		}
		if !strings.Contains(narrow[1], "1,234,567.89 CNY") || narrow[0] == wide[0] {
			t.Errorf("%d columns:\n%s", columns, strings.Join(narrow, "\n"))
		}
	}
}

// A minute in progress has no peak yet, which is not a peak of 0.
func TestAPeakThatIsNotToldYet(t *testing.T) {
	minutes := []Minute{{Status: "final"}, {Status: "provisional", Online: 7}, {Status: "provisional"}}
	lines := new(Terminal).MinuteTable(minutes, time.UTC)
	for i, want := range []string{"0", "7", "–"} {
		if got := strings.Fields(lines[i+1])[1]; got != want {
			t.Errorf("peak online of %+v is %s, want %s", minutes[i], got, want)
		}
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
