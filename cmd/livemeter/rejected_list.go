package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/cmd/livemeter/ui"
	"github.com/livemeter/livemeter/pipeline/event"
)

type rejectedListCmd struct {
	withConfig
	rejectedFilter
	Limit int  `default:"50" help:"Records to list."`
	JSON  bool `name:"json" help:"Print JSON, one object a record, without the summary."`
}

func (rejectedListCmd) Help() string { return rejectedHelp }

func (c rejectedListCmd) Run(ctx context.Context, g global, s streams) error {
	if c.Limit < 1 {
		return usageError{errors.New("rejected list: --limit must be at least 1")}
	}
	where, args, err := c.where(time.Now())
	if err != nil {
		return err
	}
	r, err := openRejected(ctx, c.withConfig, g, s)
	if err != nil {
		return err
	}
	defer r.close()
	t := ui.NewTerminal(s.out)
	return waiting(s, "asking ClickHouse for the rejected records", func() error {
		if !c.JSON {
			if err := r.summary(ctx, t, where, args); err != nil {
				return err
			}
		}
		return r.list(ctx, t, where, args, c.Limit, c.JSON)
	})
}

// summary prints how many records there are by reason and source.
func (r *rejectedSource) summary(ctx context.Context, t *ui.Terminal, where string, args []any) error {
	rows, err := r.sink.Conn().Query(ctx, "SELECT toString(reason), toString(source_topic), toInt64(count()), toUnixTimestamp64Milli(min(received_ts)), toUnixTimestamp64Milli(max(received_ts)) FROM "+
		r.cfg.ClickHouse.Database+".rejected WHERE "+where+" GROUP BY reason, source_topic ORDER BY count() DESC, reason, source_topic", args...)
	if err != nil {
		return service.StoreError(r.cfg, err)
	}
	defer rows.Close()
	var lines [][]string
	for rows.Next() {
		var reason, topic string
		var n, first, last int64
		if err := rows.Scan(&reason, &topic, &n, &first, &last); err != nil {
			return err
		}
		lines = append(lines, []string{reason, topic, ui.Count(n), moment(first), moment(last)})
	}
	if err := rows.Err(); err != nil {
		return service.StoreError(r.cfg, err)
	}
	if len(lines) == 0 {
		fmt.Fprintln(t, "nothing was rejected that is kept and meant")
		return nil
	}
	for _, l := range t.Table([]ui.Column{{Title: "reason"}, {Title: "source"}, {Title: "records", Right: true}, {Title: "first received"}, {Title: "last received"}}, lines) {
		fmt.Fprintln(t, l)
	}
	fmt.Fprintln(t)
	return nil
}

func (r *rejectedSource) list(ctx context.Context, t *ui.Terminal, where string, args []any, limit int, asJSON bool) error {
	var lines [][]string
	out := json.NewEncoder(t)
	err := r.each(ctx, where, args, "received_ts DESC, source_topic, source_partition, source_offset DESC LIMIT "+strconv.Itoa(limit), false, func(row *rejectedRow) error {
		if asJSON {
			return out.Encode(jsonOf(row))
		}
		lines = append(lines, []string{moment(row.ReceivedTS), placeText(row), row.Reason, row.Field, ui.Count(row.Length), noteOf(row)})
		return nil
	})
	if err != nil || len(lines) == 0 {
		return err
	}
	for _, l := range t.Table([]ui.Column{{Title: "received"}, {Title: "record"}, {Title: "reason"}, {Title: "field"}, {Title: "bytes", Right: true}, {Title: ""}}, lines) {
		fmt.Fprintln(t, l)
	}
	return nil
}

func noteOf(row *rejectedRow) string {
	switch {
	case row.replayed:
		return "replayed"
	case row.cut:
		return "cut"
	}
	return ""
}

type rejectedJSON struct {
	Record   string `json:"record"`
	TopicID  string `json:"topic_id"`
	Received int64  `json:"received_ts"`
	Reason   string `json:"reason"`
	Field    string `json:"field,omitempty"`
	Bytes    int64  `json:"bytes"`
	Cut      bool   `json:"cut,omitempty"`
	Replayed bool   `json:"replayed"`
}

func jsonOf(row *rejectedRow) rejectedJSON {
	return rejectedJSON{placeText(row), uuid.UUID(row.TopicID).String(), row.ReceivedTS, row.Reason, row.Field, row.Length, row.cut, row.replayed}
}

type rejectedShowCmd struct {
	Record string `arg:"" placeholder:"TOPIC/PARTITION/OFFSET" help:"Which record, as list names it: TOPIC/PARTITION/OFFSET."`
	withConfig
}

func (rejectedShowCmd) Help() string { return rejectedHelp }

func (c rejectedShowCmd) Run(ctx context.Context, g global, s streams) error {
	where, args, err := placeOf(c.Record)
	if err != nil {
		return err
	}
	r, err := openRejected(ctx, c.withConfig, g, s)
	if err != nil {
		return err
	}
	defer r.close()
	found, dec := 0, event.NewDecoder()
	err = waiting(s, "asking ClickHouse for the record", func() error {
		return r.each(ctx, where, args, "received_ts", true, func(row *rejectedRow) error { // more than one where the topic was made again
			found++
			r.show(s, dec, row)
			return nil
		})
	})
	if err == nil && found == 0 {
		return fmt.Errorf("%s is not among the rejected records, which are kept for seven days: livemeter rejected list shows what is", c.Record)
	}
	return err
}

func (r *rejectedSource) show(s streams, dec *event.Decoder, row *rejectedRow) {
	now := "no record that a producer sent to a raw topic"
	if v, ours := r.judge(dec, row); row.cut {
		now = fmt.Sprintf("not to be told: %s of its %s bytes are kept", ui.Count(int64(len(row.Original))), ui.Count(row.Length))
	} else if ours {
		now = verdictText(v)
	}
	for _, l := range [][2]string{{"record", placeText(row)}, {"topic id", uuid.UUID(row.TopicID).String()}, {"received", moment(row.ReceivedTS)}, {"rejected", strings.TrimSpace(row.Reason + " " + row.Field)},
		{"now", now}, {"replayed", strconv.FormatBool(row.replayed)}, {"bytes", ui.Count(row.Length)}} {
		fmt.Fprintf(s.out, "%-9s %s\n", l[0], l[1])
	}
	fmt.Fprintf(s.out, "\n%s\n", readable(row.Original))
}

// readable is a record for a person: JSON in lines, text as it is, other bytes quoted. Control characters never reach the terminal.
func readable(original []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, original, "", "  ") == nil {
		original = b.Bytes()
	}
	if !utf8.Valid(original) || bytes.ContainsFunc(original, func(c rune) bool { return c != '\n' && (c < ' ' || c >= 0x7f && c < 0xa0) }) {
		return strconv.QuoteToASCII(string(original))
	}
	return string(original)
}
