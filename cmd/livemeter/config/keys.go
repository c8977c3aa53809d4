package config

import (
	"fmt"
	"reflect"
	"strings"
)

// envPrefix starts the name of every environment variable.
const envPrefix = "LIVEMETER_"

// Key is one setting: a leaf of Config.
type Key struct {
	Path    string // kafka.tls.ca_file
	Default string
	Doc     string
	Kind    string // as documented: text, number, duration, true or false, list
	Main    bool   // shown in the help of the commands that it means something to
	Secret  bool   // never printed, and no flag: a command line shows in the process list and in /debug/pprof/cmdline
	Zero    bool   // 0 means something; elsewhere it is a mistake, since a component would take its default
	of      []Key  // of a list of structs: what each element holds
	index   []int
}

// section is a struct of Config with its doc string.
type section struct{ Path, Doc string }

// Env is the key's environment variable: LIVEMETER_KAFKA_TLS_CA_FILE.
func (k Key) Env() string { return envPrefix + strings.ToUpper(strings.ReplaceAll(k.Path, ".", "_")) }

// Flag is the key's flag without dashes: kafka-tls-ca-file.
func (k Key) Flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(k.Path) }

// Keys are all settings in the order of the reference; sections are the structs they stand in.
func Keys() []Key         { k, _ := walk(reflect.TypeFor[Config](), "", nil); return k }
func sections() []section { _, s := walk(reflect.TypeFor[Config](), "", nil); return s }

func walk(t reflect.Type, prefix string, index []int) (keys []Key, parts []section) {
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() {
			continue
		}
		path := prefix + f.Tag.Get("yaml")
		at := append(append([]int(nil), index...), i)
		if f.Type.Kind() == reflect.Struct {
			parts = append(parts, section{path, f.Tag.Get("doc")})
			k, s := walk(f.Type, path+".", at)
			keys, parts = append(keys, k...), append(parts, s...)
			continue
		}
		key := Key{Path: path, Default: f.Tag.Get("default"), Doc: f.Tag.Get("doc"), Kind: kindName(f.Type),
			Main: f.Tag.Get("main") != "", Secret: f.Tag.Get("secret") != "", Zero: f.Tag.Get("zero") != "", index: at}
		if f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
			key.of, _ = walk(f.Type.Elem(), "", nil)
		}
		keys = append(keys, key)
	}
	return keys, parts
}

func kindName(t reflect.Type) string {
	switch {
	case t == durationType:
		return "duration"
	case t == reflect.TypeFor[[]Token]():
		return "list of name, secret, rate"
	case t.Kind() == reflect.Slice:
		return "list"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String:
		return "text"
	}
	return "number"
}

// Default is the configuration without any file, environment or flag.
func Default() *Config { return (&Config{}).withDefaults(func(Key) bool { return true }) }

// WithDefaults is c with defaults for what is empty and may not be.
func (c *Config) WithDefaults() *Config { return c.withDefaults(Key.demanded) }

func (c *Config) withDefaults(which func(Key) bool) *Config {
	out := *c
	v := reflect.ValueOf(&out).Elem()
	for _, k := range Keys() {
		f := v.FieldByIndex(k.index)
		if k.Default == "" || !which(k) || !isEmpty(f) {
			continue
		}
		if err := setText(f, k.Default); err != nil {
			panic("config: default of " + k.Path + ": " + err.Error()) // a mistake in this package; every test meets it
		}
	}
	return &out
}

// empty are the mistakes of keys without a value that have a default.
func (c *Config) empty() (errs []error) {
	v := reflect.ValueOf(c).Elem()
	for _, k := range Keys() {
		f := v.FieldByIndex(k.index)
		if k.Default == "" || !k.demanded() || !isEmpty(f) {
			continue
		}
		errs = append(errs, fmt.Errorf("%s is empty or 0: leave it out for its default, %s", k.Path, k.Default))
	}
	return errs
}

// demanded says that the key must have a value.
func (k Key) demanded() bool { return !k.Zero && k.Kind != "true or false" }

func isEmpty(v reflect.Value) bool { return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 }
