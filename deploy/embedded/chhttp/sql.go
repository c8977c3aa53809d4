package chhttp

import (
	"slices"
	"strings"
)

// statement is what the HTTP interface must know of a statement before the engine runs it. The engine alone parses it fully.
type statement struct {
	keyword string // its first word in capitals: SELECT, INSERT, CREATE …
	format  string // what it names after FORMAT (VALUES is the format Values), "" for none
	body    int    // where the statement ends, without FORMAT, SETTINGS behind it, and semicolon
	data    int    // INSERT with data behind it: where the data begins; else -1
	several bool   // text follows the first semicolon
	spoils  bool   // it changes the session it runs in
}

type tokenKind uint8

const (
	word tokenKind = iota
	quoted
	symbol
)

type token struct {
	kind       tokenKind
	start, end int
}

// scanner cuts SQL into words, quoted things and single symbols, leaving out white space and comments.
type scanner struct {
	sql string
	at  int
}

func (s *scanner) next() (token, bool) {
	s.skipBlank()
	if s.at >= len(s.sql) {
		return token{}, false
	}
	start, c := s.at, s.sql[s.at]
	switch {
	case isWord(c):
		for s.at < len(s.sql) && isWord(s.sql[s.at]) {
			s.at++
		}
		return token{word, start, s.at}, true
	case c == '\'' || c == '"' || c == '`':
		s.skipQuoted(c)
		return token{quoted, start, s.at}, true
	case c == '$' && s.skipHeredoc():
		return token{quoted, start, s.at}, true
	}
	s.at++
	return token{symbol, start, s.at}, true
}

func (s *scanner) skipBlank() {
	for s.at < len(s.sql) {
		rest := s.sql[s.at:]
		switch {
		case strings.IndexByte(" \t\n\r\f\v", rest[0]) >= 0:
			s.at++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "#!"), strings.HasPrefix(rest, "# "):
			s.skipTo("\n")
		case strings.HasPrefix(rest, "/*"):
			s.skipTo("*/")
		default:
			return
		}
	}
}

func (s *scanner) skipTo(mark string) {
	if i := strings.Index(s.sql[s.at+1:], mark); i >= 0 {
		s.at += 1 + i + len(mark)
	} else {
		s.at = len(s.sql)
	}
}

func (s *scanner) skipQuoted(quote byte) {
	for s.at++; s.at < len(s.sql); s.at++ {
		switch s.sql[s.at] {
		case '\\':
			s.at++
		case quote: // a doubled quote is read as two strings side by side, which ends at the same place
			s.at++
			return
		}
	}
	s.at = len(s.sql)
}

// skipHeredoc skips $tag$ … $tag$.
func (s *scanner) skipHeredoc() bool {
	end := strings.IndexByte(s.sql[s.at+1:], '$')
	if end < 0 {
		return false
	}
	tag := s.sql[s.at : s.at+end+2]
	for i := 1; i < len(tag)-1; i++ {
		if !isWord(tag[i]) {
			return false
		}
	}
	closing := strings.Index(s.sql[s.at+len(tag):], tag)
	if closing < 0 {
		return false
	}
	s.at += closing + 2*len(tag)
	return true
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// reader goes over a statement and keeps its words.
type reader struct {
	scanner
	statement
	tokens []token
	depth  int // of open brackets
	table  int // of an INSERT: how many tokens there are up to the table's name, 0 before it
}

// analyse reads the statement at the start of sql. More bytes of an INSERT's data behind it change nothing.
func analyse(sql string) statement {
	r := &reader{scanner: scanner{sql: sql}, statement: statement{body: len(sql), data: -1}, tokens: make([]token, 0, 64)}
	for {
		t, ok := r.next()
		if !ok {
			break
		}
		if t.kind == symbol && sql[t.start] == ';' {
			_, r.several = r.next()
			r.body = t.start
			break
		}
		r.add(t)
		if r.keyword == "INSERT" && r.depth == 0 && t.kind != symbol && r.beginsData(t) {
			return r.statement
		}
	}
	r.finish()
	return r.statement
}

func (r *reader) is(t token, keyword string) bool {
	return t.kind == word && strings.EqualFold(r.sql[t.start:t.end], keyword)
}

// brackets is +1 for one that opens and -1 for one that closes.
func (r *reader) brackets(t token) int {
	if t.kind != symbol {
		return 0
	}
	switch r.sql[t.start] {
	case '(', '[', '{':
		return 1
	case ')', ']', '}':
		return -1
	}
	return 0
}

func (r *reader) add(t token) {
	if r.keyword == "" {
		switch {
		case t.kind == word:
			r.keyword = strings.ToUpper(r.sql[t.start:t.end])
		case r.brackets(t) > 0: // ( SELECT … ) UNION …
			r.keyword = "SELECT"
		}
	}
	r.depth += r.brackets(t)
	r.tokens = append(r.tokens, t)
}

// beginsData tells whether the data of an INSERT come behind t, and keeps where.
func (r *reader) beginsData(t token) bool {
	switch {
	case r.table == 0: // the table's name may be a keyword
		if len(r.tokens) > 1 && !r.is(t, "INTO") && !r.is(t, "TABLE") && !r.is(t, "FUNCTION") {
			r.table = len(r.tokens)
		}
	case r.sql[r.tokens[len(r.tokens)-2].end-1] == '.': // its second part
	case r.is(t, "SELECT"), r.is(t, "WITH"), r.is(t, "WATCH"), r.is(t, "INFILE"):
		r.keyword = "INSERT SELECT"
	case r.is(t, "VALUES"):
		r.format, r.body, r.data = "Values", t.start, t.end
		return true
	case r.is(t, "FORMAT"):
		if name, ok := r.next(); ok && name.kind == word {
			r.format, r.body, r.data = r.sql[name.start:name.end], t.start, dataStart(r.sql, name.end)
			return true
		}
	}
	return false
}

// dataStart follows ClickHouse: data begins behind the first line break, or behind the blanks if there is none.
func dataStart(sql string, at int) int {
	for at < len(sql) && strings.IndexByte(" \t\f", sql[at]) >= 0 {
		at++
	}
	if at < len(sql) && sql[at] == '\r' {
		at++
	}
	if at < len(sql) && sql[at] == '\n' {
		at++
	}
	return at
}

// finish looks for FORMAT at the end of the statement, before or behind its SETTINGS.
func (r *reader) finish() {
	r.spoils = r.changesSession()
	depth := 0
	for i := len(r.tokens) - 1; i > 0; i-- {
		t := r.tokens[i]
		if depth += r.brackets(t); depth != 0 {
			continue
		}
		rest := r.tokens[i+1:]
		switch {
		case r.is(t, "FORMAT") && len(rest) > 0 && rest[0].kind == word && (len(rest) == 1 || r.is(rest[1], "SETTINGS")):
			r.format, r.body = r.sql[rest[0].start:rest[0].end], t.start
			return
		case r.is(t, "FROM"), r.is(t, "WHERE"), r.is(t, "SELECT"):
			return
		}
	}
}

func (r *reader) changesSession() bool {
	switch r.keyword {
	case "SET", "USE", "BEGIN":
		return true
	case "CREATE", "REPLACE":
		return slices.ContainsFunc(r.tokens[:min(len(r.tokens), 5)], func(t token) bool { return r.is(t, "TEMPORARY") })
	}
	return false
}

// reads tells whether the statement changes nothing, so that GET may run it.
func (st statement) reads() bool {
	switch st.keyword {
	case "SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "SET", "USE", "VALUES":
		return true
	}
	return false
}

// streams tells whether the engine can give the result in pieces.
func (st statement) streams(format string) bool {
	if st.keyword != "SELECT" && st.keyword != "WITH" && st.keyword != "FROM" {
		return false
	}
	switch format {
	case "Native", "RowBinary", "TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "CSV", "JSONEachRow", "JSONLines", "NDJSON", "JSONCompactEachRow":
		return true
	}
	return false
}
