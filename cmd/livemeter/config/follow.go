package config

import (
	"regexp"
	"slices"
	"strings"
)

// misread remembers that the value of a key could not be read: the one that is there instead is nobody's.
func (c *Config) misread(path string) {
	if path != "" {
		c.wrong = append(c.wrong, path)
	}
}

var (
	relation = regexp.MustCompile(`^([a-z0-9_.]+) \S+ is (?:shorter|longer) than ([a-z0-9_.]+)`)
	keyWord  = regexp.MustCompile(`[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*(?:\[\d+\])?`)
)

// withoutFollowing leaves out what only follows from another mistake: all that is said of a value that could not be read, and how one compares with
// another of which either is out of its own bounds.
func (c *Config) withoutFollowing(errs []error) []error {
	bad := map[string]bool{}
	for _, err := range errs {
		if !relation.MatchString(err.Error()) {
			bad[leadingPath.FindString(err.Error())] = true
		}
	}
	return slices.DeleteFunc(errs, func(err error) bool {
		text := err.Error()
		if m := relation.FindStringSubmatch(text); m != nil && (bad[m[1]] || bad[m[2]]) {
			return true
		}
		return slices.ContainsFunc(keyWord.FindAllString(text, -1), c.ofMisread)
	})
}

// ofMisread says whether a key, its section or an item of it could not be read.
func (c *Config) ofMisread(path string) bool {
	return slices.ContainsFunc(c.wrong, func(w string) bool {
		return path == w || strings.HasPrefix(path, w+".") || strings.HasPrefix(path, w+"[") || strings.HasPrefix(w, path+"[")
	})
}

// flat takes joined errors apart.
func flat(err error) (out []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	for _, e := range joined.Unwrap() {
		out = append(out, flat(e)...)
	}
	return out
}
