package ui

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Column of a table. Numbers stand right.
type Column struct {
	Title string
	Right bool
}

// visible is the width of a text in characters, its colour codes not counted.
func visible(s string) int {
	n := utf8.RuneCountInString(s)
	for {
		_, after, found := strings.Cut(s, "\x1b[")
		code, rest, ended := strings.Cut(after, "m")
		if !found || !ended {
			return n
		}
		n -= len("\x1b[m") + len(code)
		s = rest
	}
}

const between = "  " // columns

// widths are how wide columns need to be.
func widths(columns []Column, rows [][]string) []int {
	width := make([]int, len(columns))
	for i, c := range columns {
		width[i] = utf8.RuneCountInString(c.Title)
		for _, r := range rows {
			width[i] = max(width[i], visible(r[i]))
		}
	}
	return width
}

// fit leaves out columns, in the order of their titles in spare, until the others are no wider than a window.
func fit(window int, columns []Column, rows [][]string, spare ...string) ([]Column, [][]string) {
	for _, title := range spare {
		all := (len(columns) - 1) * len(between)
		for _, w := range widths(columns, rows) {
			all += w
		}
		if all <= window {
			break
		}
		at := slices.IndexFunc(columns, func(c Column) bool { return c.Title == title })
		columns = slices.Delete(columns, at, at+1)
		for i := range rows {
			rows[i] = slices.Delete(rows[i], at, at+1)
		}
	}
	return columns, rows
}

// Table lays out rows in columns as wide as they need; the first line is the titles.
func (t *Terminal) Table(columns []Column, rows [][]string) []string {
	width := widths(columns, rows)
	line := func(cell func(i int) string) string {
		parts := make([]string, len(columns))
		for i, c := range columns {
			text := cell(i)
			pad := strings.Repeat(" ", width[i]-visible(text))
			if parts[i] = text + pad; c.Right {
				parts[i] = pad + text
			}
		}
		return strings.TrimRight(strings.Join(parts, between), " ")
	}
	out := []string{t.Paint("1", line(func(i int) string { return columns[i].Title }))}
	for _, r := range rows {
		out = append(out, line(func(i int) string { return r[i] }))
	}
	return out
}
