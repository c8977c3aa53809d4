package chhttp

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/livemeter/livemeter/deploy/embedded/chdb"
)

const (
	firstRead    = 256 << 10 // of a body, to find the statement in it
	maxStatement = 64 << 20  // without the data of an INSERT
)

// readStatement gives the start of a statement, which holds all of it but the data of an INSERT, and the rest of the body.
// A statement in the URL goes before the body, with a line break between them.
func readStatement(query string, body io.Reader) (string, io.Reader, error) {
	text := strings.TrimRight(query, " \t\r\n\f")
	if text != "" {
		if st := analyse(text); st.data >= 0 {
			if st.data < len(text) { // VALUES (1), …
				return text, io.MultiReader(strings.NewReader("\n"), body), nil
			}
			return text, body, nil
		}
		text += "\n"
	}
	for limit := int64(firstRead); ; limit = maxStatement {
		part, err := io.ReadAll(io.LimitReader(body, limit))
		if err != nil {
			return "", nil, bodyError(err)
		}
		text += string(part)
		if int64(len(part)) < limit || limit == firstRead && analyse(text).data >= 0 {
			return text, body, nil
		}
		if limit == maxStatement {
			return "", nil, fail(codeTooLarge, "TOO_MANY_BYTES", "The statement is larger than %d bytes", maxStatement)
		}
	}
}

func bodyError(err error) error {
	var e *exception
	if errors.As(err, &e) {
		return e
	}
	return fail(codeBadArguments, "BAD_ARGUMENTS", "The body of the request can't be read: %s", err)
}

// query runs a statement and sends its result.
func (h *Handler) query(res *response, c *chdb.Conn, q request, st statement, text string) error {
	format := q.format
	if st.format != "" {
		format = st.format
	}
	header := res.w.Header()
	header.Set("X-ClickHouse-Format", format)
	header.Set("Content-Type", contentType(format))
	send := func(part []byte) error {
		if format == "Native" && q.revision > 0 {
			var err error
			if part, err = transcode(nil, part, q.revision); err != nil {
				return fail(codeNotImplemented, "NOT_IMPLEMENTED", "The embedded ClickHouse can't write this result as Native: %s", err)
			}
		}
		_, err := res.Write(part)
		return err
	}
	if st.streams(format) {
		return h.stream(res, c, q, st, text, format, send)
	}
	out, stats, err := c.Query(text, format, q.params...)
	if err != nil {
		return err
	}
	res.stats = stats
	return send(out)
}

// stream sends a result piece by piece, and stops when the client has gone.
func (h *Handler) stream(res *response, c *chdb.Conn, q request, st statement, text, format string, send func([]byte) error) error {
	rows, err := c.Stream(text, format, q.params...)
	if err != nil {
		return err
	}
	defer rows.Close()
	empty := true
	for {
		part, err := rows.Next()
		if err != nil {
			return err
		}
		res.stats = rows.Stats()
		if part == nil {
			break
		}
		empty = false
		if err := send(part); err != nil {
			return err
		}
		if err := res.r.Context().Err(); err != nil {
			return fmt.Errorf("the client has gone: %w", err)
		}
	}
	if empty && format == "Native" {
		rows.Close()
		return sendHeader(res, c, q, text[:st.body])
	}
	return nil
}

// sendHeader sends a block without rows: a client learns the columns of an empty result from it. The engine leaves it out.
func sendHeader(res *response, c *chdb.Conn, q request, sql string) error {
	out, _, err := c.Query("DESCRIBE TABLE ("+sql+"\n)", "TabSeparatedRaw", q.params...)
	if err != nil {
		return nil // a statement that can't be described has an empty result without columns
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	head := blockHead(nil, q.revision, uint64(len(lines)), 0)
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, "\t")
		typ, _, _ := strings.Cut(rest, "\t")
		head = columnHead(head, q.revision, name, typ)
	}
	_, err = res.Write(head)
	return err
}
