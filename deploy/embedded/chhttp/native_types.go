package chhttp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errUnknownType is of a type whose values only its decoder can measure.
var errUnknownType = errors.New("length unknown")

type typeKind uint8

const (
	fixed typeKind = iota
	text
	nullable
	array
	tuple
	lowCardinality
)

type typeNode struct {
	kind  typeKind
	width uint64      // of fixed
	args  []*typeNode // of nullable, array, tuple
	keys  *typeNode   // of lowCardinality: the type of its dictionary
}

var widths = map[string]uint64{
	"UInt8": 1, "Int8": 1, "Bool": 1, "Enum8": 1, "Nothing": 1,
	"UInt16": 2, "Int16": 2, "Date": 2, "Enum16": 2, "BFloat16": 2,
	"UInt32": 4, "Int32": 4, "Float32": 4, "Date32": 4, "DateTime": 4, "Time": 4, "IPv4": 4, "Decimal32": 4,
	"UInt64": 8, "Int64": 8, "Float64": 8, "DateTime64": 8, "Time64": 8, "Decimal64": 8,
	"UInt128": 16, "Int128": 16, "UUID": 16, "IPv6": 16, "Decimal128": 16,
	"UInt256": 32, "Int256": 32, "Decimal256": 32,
}

var aliases = map[string]string{
	"Point": "Tuple(Float64, Float64)", "Ring": "Array(Point)", "LineString": "Array(Point)",
	"MultiLineString": "Array(LineString)", "Polygon": "Array(Ring)", "MultiPolygon": "Array(Polygon)",
}

func parseType(s string) (*typeNode, error) {
	name, args := splitType(s)
	if w, known := widths[name]; known {
		return &typeNode{kind: fixed, width: w}, nil
	}
	if alias, known := aliases[name]; known {
		return parseType(alias)
	}
	switch {
	case name == "String":
		return &typeNode{kind: text}, nil
	case strings.HasPrefix(name, "Interval"):
		return &typeNode{kind: fixed, width: 8}, nil
	case len(args) == 0:
	case name == "FixedString":
		n, err := strconv.ParseUint(args[0], 10, 32)
		return &typeNode{kind: fixed, width: n}, err
	case name == "Decimal":
		return &typeNode{kind: fixed, width: decimalWidth(args[0])}, nil
	case name == "SimpleAggregateFunction":
		return parseType(args[len(args)-1])
	case name == "LowCardinality":
		return parseLowCardinality(args[0])
	case name == "Nullable", name == "Array", name == "Tuple", name == "Map", name == "Nested":
		return parseCompound(name, args)
	}
	return nil, fmt.Errorf("type %s: %w", s, errUnknownType)
}

func parseCompound(name string, args []string) (*typeNode, error) {
	node := &typeNode{kind: tuple}
	for _, arg := range args {
		if name == "Tuple" || name == "Nested" {
			arg = withoutName(arg)
		}
		t, err := parseType(arg)
		if err != nil {
			return nil, err
		}
		node.args = append(node.args, t)
	}
	switch name {
	case "Nullable":
		node.kind = nullable
	case "Array":
		node.kind = array
	case "Map", "Nested":
		return &typeNode{kind: array, args: []*typeNode{node}}, nil
	}
	return node, nil
}

func parseLowCardinality(arg string) (*typeNode, error) {
	if name, args := splitType(arg); name == "Nullable" && len(args) == 1 {
		arg = args[0]
	}
	keys, err := parseType(arg)
	return &typeNode{kind: lowCardinality, keys: keys}, err
}

func decimalWidth(precision string) uint64 {
	p, _ := strconv.Atoi(precision)
	switch {
	case p <= 9:
		return 4
	case p <= 18:
		return 8
	case p <= 38:
		return 16
	}
	return 32
}

// splitType cuts Name(a, b) into its name and arguments.
func splitType(s string) (string, []string) {
	open := strings.IndexByte(s, '(')
	if open < 0 || !strings.HasSuffix(s, ")") {
		return s, nil
	}
	var args []string
	list := s[open+1 : len(s)-1]
	start := 0
	topLevel(list, ',', func(i int) bool {
		args = append(args, strings.TrimSpace(list[start:i]))
		start = i + 1
		return true
	})
	return s[:open], append(args, strings.TrimSpace(list[start:]))
}

// withoutName strips the name of a tuple's element.
func withoutName(s string) string {
	at := -1
	topLevel(s, ' ', func(i int) bool { at = i; return false })
	return s[at+1:]
}

// topLevel calls found with the places of c that are in no brackets and quotes, until it returns false.
func topLevel(s string, c byte, found func(int) bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b == '(':
			depth++
		case b == ')':
			depth--
		case b == '\'' || b == '`' || b == '"':
			for i++; i < len(s) && s[i] != b; i++ {
				if s[i] == '\\' {
					i++
				}
			}
		case b == c && depth == 0:
			if !found(i) {
				return
			}
		}
	}
}
