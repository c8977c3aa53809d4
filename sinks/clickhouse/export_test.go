package clickhouse

// UnionDDL are the views as they are made for servers that do not choose among views by their names.
func UnionDDL(cfg Config) (ddl []string) {
	cfg = cfg.WithDefaults()
	for _, v := range views(cfg, false) {
		ddl = append(ddl, v.marked(cfg.Database).ddl(cfg.Database))
	}
	return ddl
}

var MergesAt = mergesAt
