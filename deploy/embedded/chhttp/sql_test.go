package chhttp

import "testing"

func TestAnalyse(t *testing.T) {
	for sql, want := range map[string]struct {
		keyword, format, body, data string
		several, spoils             bool
	}{
		"SELECT 1": {keyword: "SELECT", body: "SELECT 1"},
		"  /* FORMAT X */ select 1 format JSON ;":                    {keyword: "SELECT", format: "JSON", body: "  /* FORMAT X */ select 1 "},
		"SELECT 1 FORMAT JSON SETTINGS max_threads = 1":              {keyword: "SELECT", format: "JSON", body: "SELECT 1 "},
		"SELECT 1 SETTINGS max_threads = 1 FORMAT Native":            {keyword: "SELECT", format: "Native", body: "SELECT 1 SETTINGS max_threads = 1 "},
		"SELECT format FROM t":                                       {keyword: "SELECT", body: "SELECT format FROM t"},
		"SELECT 'a;b' -- ;\n, `x;y`, $h$;$h$ FROM t":                 {keyword: "SELECT", body: "SELECT 'a;b' -- ;\n, `x;y`, $h$;$h$ FROM t"},
		"SELECT 'it''s', 'a\\'; x'; ":                                {keyword: "SELECT", body: "SELECT 'it''s', 'a\\'; x'"},
		"SELECT 1; SELECT 2":                                         {keyword: "SELECT", body: "SELECT 1", several: true},
		"SELECT 1; -- that was it":                                   {keyword: "SELECT", body: "SELECT 1"},
		"(SELECT 1) UNION ALL (SELECT 2)":                            {keyword: "SELECT", body: "(SELECT 1) UNION ALL (SELECT 2)"},
		"INSERT INTO t VALUES (1), (';')":                            {keyword: "INSERT", format: "Values", body: "INSERT INTO t ", data: " (1), (';')"},
		"INSERT INTO t (a, `format`) FORMAT Native\n\n\x01; '":       {keyword: "INSERT", format: "Native", body: "INSERT INTO t (a, `format`) ", data: "\n\x01; '"},
		"insert into t format CSV  1,2":                              {keyword: "INSERT", format: "CSV", body: "insert into t ", data: "1,2"},
		"INSERT INTO db.values SETTINGS async_insert=0 FORMAT TSV\n": {keyword: "INSERT", format: "TSV", body: "INSERT INTO db.values SETTINGS async_insert=0 "},
		"INSERT INTO FUNCTION null('a UInt8') VALUES (1)":            {keyword: "INSERT", format: "Values", body: "INSERT INTO FUNCTION null('a UInt8') ", data: " (1)"},
		"INSERT INTO `d`.`t` (`a`) FORMAT Native\n;x":                {keyword: "INSERT", format: "Native", body: "INSERT INTO `d`.`t` (`a`) ", data: ";x"},
		"INSERT INTO t SELECT 1 FORMAT Null":                         {keyword: "INSERT SELECT", format: "Null", body: "INSERT INTO t SELECT 1 "},
		"INSERT INTO t (a) WITH 1 AS x SELECT x":                     {keyword: "INSERT SELECT", body: "INSERT INTO t (a) WITH 1 AS x SELECT x"},
		"SET max_threads = 1":                                        {keyword: "SET", body: "SET max_threads = 1", spoils: true},
		"CREATE OR REPLACE TEMPORARY TABLE t (a UInt8)":              {keyword: "CREATE", body: "CREATE OR REPLACE TEMPORARY TABLE t (a UInt8)", spoils: true},
		"'unfinished":   {body: "'unfinished"},
		"/* nothing":    {body: "/* nothing"},
		"SELECT '\\":    {keyword: "SELECT", body: "SELECT '\\"},
		"INSERT INTO t": {keyword: "INSERT", body: "INSERT INTO t"},
		"INSERT":        {keyword: "INSERT", body: "INSERT"},
		"INSERT INTO ":  {keyword: "INSERT", body: "INSERT INTO "},
	} {
		got := analyse(sql)
		data := ""
		if got.data >= 0 {
			data = sql[got.data:]
		}
		if got.keyword != want.keyword || got.format != want.format || sql[:got.body] != want.body || data != want.data ||
			got.several != want.several || got.spoils != want.spoils {
			t.Errorf("analyse(%q) = %+v, body %q, data %q", sql, got, sql[:got.body], data)
		}
	}
}

func FuzzAnalyse(f *testing.F) {
	f.Add("INSERT INTO t FORMAT Native\n\x00")
	f.Add("SELECT '\\' $a$ /* FORMAT x;")
	f.Fuzz(func(t *testing.T, sql string) {
		st := analyse(sql)
		if st.body < 0 || st.body > len(sql) || st.data > len(sql) {
			t.Fatalf("%+v is outside of %q", st, sql)
		}
	})
}

func FuzzTranscode(f *testing.F) {
	f.Add([]byte("\x01\x01\x01a\x05UInt8\x07"))
	f.Add([]byte("\x01\x01\x01a\x16LowCardinality(String)\x01\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := walker{data: data}
		_, _ = in.block(nil, 54460)
	})
}
