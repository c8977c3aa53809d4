package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/event"
)

type checkCmd struct {
	File  string `arg:"" optional:"" default:"-" help:"NDJSON file, - for standard input."`
	Topic string `help:"Judge as on this raw topic; by default each line goes to the topic of its type." enum:",raw.viewer,raw.interaction,raw.order,raw.cost,raw.stock" default:""`
	Quiet bool   `short:"q" help:"Print invalid lines only."`
	JSON  bool   `name:"json" help:"Print JSON, one object a line."`
}

func (checkCmd) Help() string {
	return `Prints for each line its number and "accepted", or the reason and the field, exactly as the collector would judge it. Empty lines are
skipped. Exit code 1 if any line is invalid.

Example:
    livemeter check events.ndjson
    tail -1 events.ndjson | livemeter check -q`
}

func (c checkCmd) Run(_ context.Context, s streams) error {
	in := s.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	} else if f, ok := in.(*os.File); ok && ui.NewTerminal(f).TTY {
		fmt.Fprintln(s.err, "reading events from the terminal, one a line; Ctrl-D ends")
	}
	out := bufio.NewWriter(s.out)
	lines, invalid, err := c.check(in, out)
	if err := errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("check %s: %w", c.File, err)
	}
	plural := "s"
	if lines == 1 {
		plural = ""
	}
	fmt.Fprintf(s.err, "%d line%s: %d accepted, %d invalid\n", lines, plural, lines-invalid, invalid)
	if invalid > 0 {
		return errSilent
	}
	return nil
}

func (c checkCmd) check(in io.Reader, out io.Writer) (lines, invalid int, err error) {
	dec, ev := event.NewDecoder(), new(event.Event)
	r := bufio.NewReaderSize(in, event.MaxRecordBytes+2)
	for number := 1; ; number++ {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return lines, invalid, nil
		}
		if err != nil {
			return lines, invalid, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		v := c.judge(dec, ev, line)
		lines++
		if v.Reason != event.ReasonNone {
			invalid++
		} else if c.Quiet {
			continue
		}
		if err := c.print(out, number, v); err != nil {
			return lines, invalid, err
		}
	}
}

func (c checkCmd) judge(dec *event.Decoder, ev *event.Event, line []byte) event.Verdict {
	if t := slices.Index(event.Arrivals, c.Topic); t >= 0 {
		return dec.Decode(event.Topic(t), line, ev)
	}
	return dec.DecodeAny(line, ev)
}

func (c checkCmd) print(out io.Writer, number int, v event.Verdict) error {
	var err error
	switch {
	case c.JSON:
		answer := struct {
			Line   int    `json:"line"`
			Status string `json:"status"`
			Reason string `json:"reason,omitempty"`
			Field  string `json:"field,omitempty"`
		}{number, "accepted", v.Reason.String(), v.Field}
		if v.Reason != event.ReasonNone {
			answer.Status = "invalid"
		}
		err = json.NewEncoder(out).Encode(answer)
	case v.Reason == event.ReasonNone:
		_, err = fmt.Fprintf(out, "%d\taccepted\n", number)
	case v.Field == "":
		_, err = fmt.Fprintf(out, "%d\t%s\n", number, v.Reason)
	default:
		_, err = fmt.Fprintf(out, "%d\t%s\t%s\n", number, v.Reason, v.Field)
	}
	return err
}

// readLine returns the next line without its end. Of one that is longer than a record may be it keeps just enough to be too large.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		kept := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return kept, nil
	}
	if errors.Is(err, io.EOF) && len(line) > 0 {
		err = nil
	}
	return bytes.TrimSuffix(line, []byte("\n")), err
}
