package config

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

var durationType = reflect.TypeFor[time.Duration]()

// setText sets a field from the text of a scalar, an environment variable or a flag.
func setText(v reflect.Value, text string) error {
	switch {
	case v.Type() == durationType:
		d, err := ParseDuration(text)
		if err != nil {
			return err
		}
		v.SetInt(int64(d))
		return nil
	case v.Type() == reflect.TypeFor[[]string]():
		v.Set(reflect.ValueOf(splitList(text)))
		return nil
	case v.Type() == reflect.TypeFor[[]Token]():
		return setTokens(v, text)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%q: want true or false", text)
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
		if err != nil {
			return fmt.Errorf("%q: want a whole number", text)
		}
		v.SetInt(n)
	case reflect.Uint32:
		n, err := strconv.ParseUint(strings.ReplaceAll(text, "_", ""), 10, 32)
		if err != nil {
			return fmt.Errorf("%q: want a whole number from 0 to 4294967295", text)
		}
		v.SetUint(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q: want a number", text)
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("no value of type %s", v.Type())
	}
	return nil
}

// ParseDuration is time.ParseDuration with days, which retentions are given in, and a bare 0.
func ParseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q: want a duration such as 200ms, 60s, 6h or 14d", text)
	}
	return d, nil
}

func splitList(text string) []string {
	var out []string
	for _, s := range strings.Split(text, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// tokenForm is how a token stands in the file.
const tokenForm = "{name: shop, secret: …}"

// setTokens never repeats what it was given: it holds secrets.
func setTokens(v reflect.Value, text string) error {
	var tokens []Token
	for _, s := range splitList(text) {
		name, secret, ok := strings.Cut(s, ":")
		if !ok {
			return errors.New("want name:secret, separated by commas; in a file a list of " + tokenForm)
		}
		tokens = append(tokens, Token{Name: name, Secret: secret})
	}
	v.Set(reflect.ValueOf(tokens))
	return nil
}
