// Package ui prints numbers for people: live tables, sparklines, colour where it helps and is wanted.
package ui

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Terminal is what is printed to. The zero value of everything but Writer is a file or a pipe.
type Terminal struct {
	io.Writer
	TTY   bool // lines may be written over
	Color bool
	fd    int
	drawn int // lines of the last frame
	// columns, if not 0, are those of tests, which have no window.
	columns int
}

// NewTerminal finds out what w is. Colour is for terminals only, and not where NO_COLOR is set (no-color.org) or TERM is dumb.
func NewTerminal(w io.Writer) *Terminal {
	t := &Terminal{Writer: w, fd: -1}
	f, ok := w.(*os.File)
	if !ok {
		return t
	}
	if _, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err != nil {
		return t
	}
	t.fd = int(f.Fd())
	t.TTY = os.Getenv("TERM") != "dumb"
	t.Color = t.TTY && os.Getenv("NO_COLOR") == ""
	return t
}

// Size is that of the window, 100 × 30 where there is none.
func (t *Terminal) Size() (columns, lines int) {
	if t.fd >= 0 {
		if s, err := unix.IoctlGetWinsize(t.fd, unix.TIOCGWINSZ); err == nil && s.Col > 0 && s.Row > 0 {
			return int(s.Col), int(s.Row)
		}
	}
	return cmp.Or(t.columns, 100), 30
}

// Paint colours text with an SGR code such as "1;32".
func (t *Terminal) Paint(code, text string) string {
	if !t.Color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// Frame writes lines over those of the last frame. Lines are cut to the window: one that wraps would break the counting.
func (t *Terminal) Frame(lines []string) {
	columns, height := t.Size()
	lines = lines[:min(len(lines), max(height-1, 1))]
	var b strings.Builder
	if t.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", t.drawn)
	}
	for _, l := range lines {
		b.WriteString(cut(l, columns))
		b.WriteString("\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	t.drawn = len(lines)
	io.WriteString(t, b.String())
}

// Settle leaves the last frame where it is: what is printed next comes below it.
func (t *Terminal) Settle() { t.drawn = 0 }

// cut keeps columns characters, colour codes not counted.
func cut(s string, columns int) string {
	n := 0
	escape := false
	for i, r := range s {
		switch {
		case escape:
			escape = r != 'm'
		case r == '\x1b':
			escape = true
		default:
			if n++; n > columns {
				return s[:i] + "\x1b[0m"
			}
		}
	}
	return s
}
