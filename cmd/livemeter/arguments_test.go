package main

import (
	"strings"
	"testing"
)

// TestMistakesAreNamed: the command or the flag, and what would have been right.
func TestMistakesAreNamed(t *testing.T) {
	for args, want := range map[string]string{
		"frobnicate":              "unknown command frobnicate; there are demo, up, run,",
		"chek":                    `unknown command chek, did you mean "check"?`,
		"check a b":               "unexpected argument b",
		"generate --rate -1":      "--rate -1: must be 0 or more",
		"generate --rate=-1":      "--rate -1: must be 0 or more",
		"generate --rate 1e99":    "--rate 1e+99: must be 0 or more, and at most 10,000,000",
		"generate --rate NaN":     "--rate NaN: must be 0 or more",
		"demo --rate 0":           "--rate 0: must be above 0",
		"demo --rate 1e99":        "--rate 1e+99: must be above 0, and at most 10,000,000",
		"demo --rate NaN":         "--rate NaN: must be above 0",
		"generate --rooms 0":      "--rooms 0: must be 1 or more",
		"generate --rooms -3":     "--rooms -3: must be 1 or more",
		"generate --viewers 2":    "--viewers 2: must be 100 or more",
		"generate --events -7":    "--events -7: want a number above 0",
		"generate --frobnicate 1": "unknown flag --frobnicate",
	} {
		code, _, errOut := livemeter(t, "", strings.Fields(args)...)
		if code != exitUsage || !strings.Contains(errOut, want) {
			t.Errorf("%s: exit code %d, want 2 and %q in: %s", args, code, want, errOut)
		}
	}
}
