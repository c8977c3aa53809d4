package config

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// Sources are where a configuration comes from, in rising precedence. Empty ones are left out.
type Sources struct {
	File  string                          // YAML; LIVEMETER_CONFIG names it where no flag does
	Env   func(key string) (string, bool) // os.LookupEnv
	Flags map[string]string               // by Key.Path
	Base  func(*Config)                   // changes defaults before anything is read: demo and up have others
}

// Load reads all sources. It returns what it could read together with every mistake in reading; Validate finds the others.
func Load(s Sources) (*Config, error) {
	c := Default()
	c.from = map[string]string{}
	if s.Base != nil {
		s.Base(c)
	}
	var errs []error
	if s.File != "" {
		data, err := os.ReadFile(s.File)
		if err != nil {
			return c, fmt.Errorf("configuration: %w", err)
		}
		errs = decodeYAML(s.File, data, c)
	}
	v := reflect.ValueOf(c).Elem()
	for _, k := range Keys() {
		errs = append(errs, c.override(v.FieldByIndex(k.index), k, s)...)
	}
	c.Kafka.SASL.Mechanism = strings.ToLower(c.Kafka.SASL.Mechanism) // Kafka's own names are in capitals
	errs = append(errs, c.readSecrets()...)
	return c, errors.Join(errs...)
}

func (c *Config) override(v reflect.Value, k Key, s Sources) (errs []error) {
	set := func(text, from string) {
		if err := setText(v, text); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", from, err))
			c.misread(k.Path)
		}
		maps.DeleteFunc(c.from, func(path, _ string) bool { return strings.HasPrefix(path, k.Path+"[") }) // items of a list in the file
		c.from[k.Path] = from
	}
	if s.Env != nil {
		if text, ok := s.Env(k.Env()); ok {
			set(text, "environment "+k.Env())
		}
	}
	if text, ok := s.Flags[k.Path]; ok {
		set(text, "flag --"+k.Flag())
	}
	return errs
}

var leadingPath = regexp.MustCompile(`^[a-z0-9_.]+(\[\d+\])?`)

// Located adds to each mistake that begins with a key where its value comes from, and leaves out those that follow from others.
func (c *Config) Located(err error) error {
	var errs []error
	for _, e := range c.withoutFollowing(flat(err)) {
		path := leadingPath.FindString(e.Error())
		key, _, _ := strings.Cut(path, "[")
		if from := cmp.Or(c.from[path], c.from[key]); from != "" {
			e = fmt.Errorf("%s: %w", from, e)
		}
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// readSecrets replaces the …_file keys by what is in the files. Of a secret that is not to be had from there no more is said: Validate would tell one
// who has named a file to make a key.
func (c *Config) readSecrets() (errs []error) {
	for _, s := range []struct {
		key, file string
		value     *string
	}{
		{"pseudonym_key", c.PseudonymKeyFile, &c.PseudonymKey},
		{"kafka.sasl.password", c.Kafka.SASL.PasswordFile, &c.Kafka.SASL.Password},
		{"clickhouse.password", c.ClickHouse.PasswordFile, &c.ClickHouse.Password},
	} {
		if s.file == "" {
			continue
		}
		if err := readSecret(s.key, s.file, s.value); err != nil {
			errs = append(errs, c.Located(err))
			c.misread(s.key)
			c.misread(s.key + "_file")
		}
	}
	return errs
}

func readSecret(key, file string, value *string) error {
	if *value != "" {
		return fmt.Errorf("%s and %s_file are both given: keep one", key, key)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%s_file: %w", key, err)
	}
	*value = strings.TrimSpace(string(data))
	if key == "pseudonym_key" && *value == "" {
		return fmt.Errorf("%s_file: %s is empty: restore it from a backup, for a new key makes every viewer a new one", key, file)
	}
	return nil
}

// ErrNoKey is returned by Key when none is configured.
var ErrNoKey = errors.New("no pseudonym key: make one (openssl rand -hex 32 > pseudonym.key, mode 0600) and name it with " +
	"pseudonym_key_file or --pseudonym-key-file; every collector needs the same one, for ever")

// Key is the pseudonym key in bytes. Its text is never part of an error.
func (c *Config) Key() ([]byte, error) {
	if c.PseudonymKey == "" {
		return nil, ErrNoKey
	}
	key, err := hex.DecodeString(c.PseudonymKey)
	if err != nil || len(key) != 16 && len(key) != 32 {
		from := ""
		if c.PseudonymKeyFile != "" {
			from = " in " + c.PseudonymKeyFile
		}
		return nil, fmt.Errorf("pseudonym_key: want 32 or 64 hexadecimal digits, have %d characters%s", len(c.PseudonymKey), from)
	}
	return key, nil
}

// YAML is the whole configuration as it took effect, secrets left out.
func (c *Config) YAML() string {
	root := &yaml.Node{Kind: yaml.MappingNode}
	v := reflect.ValueOf(c).Elem()
	for _, k := range Keys() {
		f := v.FieldByIndex(k.index)
		text := formatValue(f)
		if f.Type() == reflect.TypeFor[[]Token]() || k.Secret && text != "" {
			continue
		}
		put(root, strings.Split(k.Path, "."), f, text)
	}
	out, err := yaml.Marshal(root)
	if err != nil {
		panic("config: " + err.Error()) // nodes made here always marshal
	}
	return string(out)
}

func put(n *yaml.Node, path []string, v reflect.Value, text string) {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == path[0] {
			put(n.Content[i+1], path[1:], v, text)
			return
		}
	}
	child := &yaml.Node{Kind: yaml.MappingNode}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: path[0]}, child)
	if len(path) > 1 {
		put(child, path[1:], v, text)
		return
	}
	switch list, isList := v.Interface().([]string); {
	case isList:
		child.Kind, child.Style = yaml.SequenceNode, yaml.FlowStyle
		for _, s := range list {
			child.Content = append(child.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: s})
		}
	case v.Kind() == reflect.String:
		child.SetString(text)
	default:
		child.Kind, child.Value = yaml.ScalarNode, text
	}
}
