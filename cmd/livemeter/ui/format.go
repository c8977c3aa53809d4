package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count writes a number with separators: 1,234,567.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if neg {
		return "-" + b.String()
	}
	return b.String()
}

// minorDigits are the currencies whose minor unit is not a hundredth.
var minorDigits = map[string]int{"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}

// Money writes minor units: 25800 CNY is 258.00 CNY. No float is involved.
func Money(minor int64, currency string) string {
	digits, ok := minorDigits[currency]
	if !ok {
		digits = 2
	}
	unit := int64(1)
	for range digits {
		unit *= 10
	}
	sign := ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	out := sign + Count(minor/unit)
	if digits > 0 {
		out += fmt.Sprintf(".%0*d", digits, minor%unit)
	}
	return strings.TrimSpace(out + " " + currency)
}

// Ratio writes part of whole as a percentage, – where there is no whole.
func Ratio(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + "%"
}

// Age writes how long ago something was, in two figures.
func Age(d time.Duration) string {
	switch {
	case d < 0:
		return "0 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Hour:
		return strconv.FormatFloat(d.Minutes(), 'f', 0, 64) + " min"
	}
	return strconv.FormatFloat(d.Hours(), 'f', 0, 64) + " h"
}

var bars = []rune("▁▂▃▄▅▆▇█")

// Sparkline draws values from 0 to their highest, one character each.
func Sparkline(values []int64) string {
	var top int64
	for _, v := range values {
		top = max(top, v)
	}
	out := make([]rune, len(values))
	for i, v := range values {
		switch {
		case v <= 0 || top == 0:
			out[i] = ' '
		default:
			out[i] = bars[min(int(float64(v)/float64(top)*float64(len(bars))), len(bars)-1)]
		}
	}
	return string(out)
}
