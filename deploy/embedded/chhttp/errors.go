package chhttp

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Codes that this interface gives itself; all others come from the engine.
const (
	codeBadArguments    = 36
	codeNotImplemented  = 48
	codeSyntax          = 62
	codeReadonly        = 164
	codeUnknownUser     = 192
	codeNoPassword      = 194
	codeTooLarge        = 307
	codeSessionNotFound = 372
	codeSessionLocked   = 373
	codeBadSession      = 374
	codeAuthentication  = 516
	codeNoSpace         = 75 // CANNOT_WRITE_TO_FILE_DESCRIPTOR
	codeCorrupted       = 271
	codeUnknown         = 1002
)

// exception is an error as ClickHouse words it.
type exception struct {
	code int
	text string
}

func (e *exception) Error() string { return e.text }

func fail(code int, name, format string, args ...any) error {
	return &exception{code, fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", code, fmt.Sprintf(format, args...), name)}
}

var codePattern = regexp.MustCompile(`^Code: (\d+)\.`)

// asException reads the code out of an error of the engine.
func asException(err error) *exception {
	var e *exception
	if errors.As(err, &e) {
		return e
	}
	text := err.Error()
	if m := codePattern.FindStringSubmatch(text); m != nil {
		code, _ := strconv.Atoi(m[1])
		return &exception{code, text}
	}
	return &exception{codeUnknown, fmt.Sprintf("Code: %d. DB::Exception: %s. (UNKNOWN_EXCEPTION)", codeUnknown, text)}
}

// message is the exception's text with the server's version, as a server writes it.
func (e *exception) message(version string) string {
	text := strings.TrimRight(e.text, "\n")
	if !strings.Contains(text, "(version ") {
		text += " (version " + version + " (embedded))"
	}
	return text + "\n"
}

// statuses follow ClickHouse's own table; every other code is a 500.
var statuses = map[int]int{
	codeNoPassword:  http.StatusUnauthorized,
	codeUnknownUser: http.StatusForbidden, 193: http.StatusForbidden, codeAuthentication: http.StatusForbidden,
	6: http.StatusBadRequest, 25: http.StatusBadRequest, 26: http.StatusBadRequest, 27: http.StatusBadRequest, // CANNOT_PARSE_…
	38: http.StatusBadRequest, 41: http.StatusBadRequest, 72: http.StatusBadRequest,
	376: http.StatusBadRequest, 441: http.StatusBadRequest, 675: http.StatusBadRequest, 676: http.StatusBadRequest,
	56: http.StatusBadRequest, 223: http.StatusBadRequest, 167: http.StatusBadRequest, 168: http.StatusBadRequest, // …_AST
	codeSyntax: http.StatusBadRequest, 117: http.StatusBadRequest, 53: http.StatusBadRequest, 321: http.StatusBadRequest, 457: http.StatusBadRequest,
	60: http.StatusNotFound, 46: http.StatusNotFound, 47: http.StatusNotFound, 50: http.StatusNotFound, 63: http.StatusNotFound, // UNKNOWN_…
	73: http.StatusNotFound, 78: http.StatusNotFound, 81: http.StatusNotFound, 115: http.StatusNotFound, codeSessionNotFound: http.StatusNotFound,
	codeBadSession: http.StatusBadRequest, 381: http.StatusLengthRequired,
	66: http.StatusRequestEntityTooLarge, codeTooLarge: http.StatusRequestEntityTooLarge,
	codeNotImplemented: http.StatusNotImplemented,
	209:                http.StatusServiceUnavailable, 76: http.StatusServiceUnavailable, 439: http.StatusServiceUnavailable,
}

func (e *exception) status() int {
	if status, known := statuses[e.code]; known {
		return status
	}
	return http.StatusInternalServerError
}
