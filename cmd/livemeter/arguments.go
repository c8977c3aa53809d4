package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

var (
	longFlag = regexp.MustCompile(`^--[a-z0-9-]+$`)
	negative = regexp.MustCompile(`^-[0-9]`)
)

// withNegatives joins a flag and the negative number behind it, which kong takes for a short flag: the command then says what is wrong with it.
func withNegatives(args []string) []string {
	out := slices.Clone(args[:1])
	for _, a := range args[1:] {
		if last := &out[len(out)-1]; negative.MatchString(a) && longFlag.MatchString(*last) {
			*last += "=" + a
			continue
		}
		out = append(out, a)
	}
	return out
}

// unknownCommand says of a first word that is no command what it should have been. kong calls it an argument, and names the nearest if one is near.
func unknownCommand(parser *kong.Kong, err error) error {
	var parse *kong.ParseError
	said, ok := strings.CutPrefix(err.Error(), "unexpected argument ")
	if !errors.As(err, &parse) || !ok || parse.Context.Command() != "" {
		return err
	}
	if strings.Contains(said, "did you mean") {
		return fmt.Errorf("unknown command %s", said)
	}
	var names []string
	for _, n := range parser.Model.Children {
		if !n.Hidden {
			names = append(names, n.Name)
		}
	}
	return fmt.Errorf("unknown command %s; there are %s", said, strings.Join(names, ", "))
}
