package config

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// decodeYAML fills c from the file's bytes and returns every mistake with its line: unknown keys, keys given twice, values of another type.
func decodeYAML(name string, data []byte, c *Config) []error {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return []error{fmt.Errorf("%s: %s%s", name, withLine(strings.TrimPrefix(err.Error(), "yaml: ")), helpWithToken(err, data))}
	}
	if len(doc.Content) == 0 {
		return nil // an empty file
	}
	d := yamlDecoder{name: name, config: c}
	d.structure(doc.Content[0], reflect.ValueOf(c).Elem(), "")
	return d.errs
}

// withLine puts the first line's number before what the scanner and the parser find there: they name every other line. Other mistakes without a
// number (bytes that are no UTF-8, an anchor that is not there) may be anywhere.
func withLine(text string) string {
	for _, begin := range []string{"found ", "did not find ", "could not find ", "mapping values ", "block "} {
		if strings.HasPrefix(text, begin) {
			return "line 1: " + text
		}
	}
	return text
}

// helpWithToken says which characters YAML means where it names none.
func helpWithToken(err error, data []byte) string {
	switch {
	case !strings.Contains(err.Error(), "cannot start any token"):
		return ""
	case bytes.Contains(data, []byte("\t")):
		return " (a tab? YAML is indented with spaces)"
	}
	return " (a value that begins with @, ` or % must stand in quotes)"
}

type yamlDecoder struct {
	name   string
	config *Config
	errs   []error
}

func (d *yamlDecoder) fail(n *yaml.Node, format string, args ...any) {
	d.errs = append(d.errs, fmt.Errorf("%s:%d: %s", d.name, n.Line, fmt.Sprintf(format, args...)))
}

func (d *yamlDecoder) structure(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.config.misread(path)
		d.fail(n, "%s: want %s", orRoot(path), formOf(v.Type()))
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		full := join(path, key.Value)
		field, ok := fieldByTag(v, key.Value)
		switch {
		case !ok:
			d.fail(key, "unknown key %s%s", full, suggest(v.Type(), key.Value))
		case seen[key.Value]:
			d.fail(key, "%s is given twice", full)
		default:
			d.config.from[full] = fmt.Sprintf("%s:%d", d.name, key.Line)
			d.value(value, field, full)
		}
		seen[key.Value] = true
	}
}

func (d *yamlDecoder) value(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case v.Kind() == reflect.Struct:
		d.structure(n, v, path)
	case n.Kind == yaml.SequenceNode && v.Kind() == reflect.Slice:
		d.sequence(n, v, path)
	case n.Kind != yaml.ScalarNode || n.Tag == "!!null":
		d.config.misread(path)
		d.fail(n, "%s: want a %s", path, kindName(v.Type()))
	default:
		if err := setText(v, n.Value); err != nil {
			d.config.misread(path)
			d.fail(n, "%s: %v", path, err)
		}
	}
}

func (d *yamlDecoder) sequence(n *yaml.Node, v reflect.Value, path string) {
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		full := fmt.Sprintf("%s[%d]", path, i)
		d.config.from[full] = fmt.Sprintf("%s:%d", d.name, item.Line)
		d.value(item, out.Index(i), full)
	}
	v.Set(out)
}

// formOf is what is wanted where a struct stands.
func formOf(t reflect.Type) string {
	if t == reflect.TypeFor[Token]() {
		return tokenForm
	}
	return "keys with values below it"
}

func fieldByTag(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("yaml") == name {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// suggest names the keys of a section, or the one that differs only in case or separators.
func suggest(t reflect.Type, name string) string {
	plain := strings.NewReplacer("_", "", "-", "")
	var all []string
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("yaml")
		if tag == "" {
			continue
		}
		if strings.EqualFold(plain.Replace(tag), plain.Replace(name)) {
			return ", did you mean " + tag + "?"
		}
		all = append(all, tag)
	}
	return ", there are " + strings.Join(all, ", ")
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func orRoot(path string) string {
	if path == "" {
		return "configuration"
	}
	return path
}
