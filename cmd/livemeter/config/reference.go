package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Reference is docs/config.md.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Configuration

<!-- Generated from cmd/livemeter/config by: go run ./cmd/livemeter config reference > docs/config.md -->

One YAML file, named with ` + "`--config`" + ` or ` + "`LIVEMETER_CONFIG`" + `. An environment variable overrides the file, a flag overrides both. Every key has all three, but secrets have no flag, since command lines can be seen by others:
` + "`kafka.tls.ca_file`" + ` in the file is ` + "`kafka:`, `tls:`, `ca_file:`" + `, in the environment ` + "`LIVEMETER_KAFKA_TLS_CA_FILE`" + `, as a flag ` + "`--kafka-tls-ca-file`" + `.
A list is a YAML list, or text with commas. A duration is 200ms, 60s, 6h or 14d. A key that is not known is an error with its line.
` + "`livemeter config check`" + ` tells all mistakes at once; ` + "`livemeter config show`" + ` prints what took effect, without secrets.

`)
	writeTable(&b, "")
	for _, s := range sections() {
		fmt.Fprintf(&b, "\n## %s\n%s\n\n", s.Path, s.Doc)
		writeTable(&b, s.Path+".")
	}
	return b.String()
}

func writeTable(b *strings.Builder, prefix string) {
	head := false
	for _, k := range Keys() {
		name, ok := strings.CutPrefix(k.Path, prefix)
		if !ok || strings.Contains(name, ".") {
			continue
		}
		if !head {
			b.WriteString("| key | type | default | environment | |\n|---|---|---|---|---|\n")
			head = true
		}
		def := k.Default
		if def != "" {
			def = "`" + def + "`"
		}
		fmt.Fprintf(b, "|`%s`|%s|%s|`%s`|%s|\n", k.Path, k.Kind, def, k.Env(), k.Doc)
	}
	for _, k := range Keys() {
		if name, ok := strings.CutPrefix(k.Path, prefix); ok && !strings.Contains(name, ".") && k.of != nil {
			writeElement(b, k)
		}
	}
}

// writeElement says what an element of a list holds.
func writeElement(b *strings.Builder, list Key) {
	fmt.Fprintf(b, "\nEach of `%s`:\n\n| key | type | |\n|---|---|---|\n", list.Path)
	for _, k := range list.of {
		fmt.Fprintf(b, "|`%s`|%s|%s|\n", k.Path, k.Kind, k.Doc)
	}
}

func formatValue(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		if x != 0 && x%day == 0 {
			return strconv.FormatInt(int64(x/day), 10) + "d"
		}
		return x.String()
	case []string:
		return strings.Join(x, ",")
	}
	return fmt.Sprint(v.Interface())
}
