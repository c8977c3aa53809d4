package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// otherEnv are variables with the prefix that are no keys.
var otherEnv = []string{envPrefix + "CONFIG", envPrefix + "ENGINES"}

func knownEnv() []string {
	known := slices.Clone(otherEnv)
	for _, k := range Keys() {
		known = append(known, k.Env())
	}
	return known
}

// UnknownEnv names the variables that look like a key's and are none: a slip, or what Kubernetes sets for a service of this name.
func UnknownEnv(environ []string) []string {
	known := knownEnv()
	var out []string
	for _, e := range environ {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) {
			out = append(out, name)
		}
	}
	return out
}

var kubernetesEnv = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT(_\d+_(TCP|UDP|SCTP)(_.+)?)?)$`)

// FromKubernetes says that a variable may be one that Kubernetes sets in every container for a service called livemeter: nobody's mistake.
func FromKubernetes(name string) bool { return kubernetesEnv.MatchString(name) }

// MistypedEnv says of each unknown variable which one was most likely meant, but for those that Kubernetes sets.
func MistypedEnv(environ []string) (mistakes []string) {
	for _, name := range UnknownEnv(environ) {
		if !FromKubernetes(name) {
			mistakes = append(mistakes, fmt.Sprintf("environment %s: no key is called so; the nearest is %s", name, nearestEnv(name)))
		}
	}
	return mistakes
}

func nearestEnv(name string) string {
	return slices.MinFunc(knownEnv(), func(a, b string) int { return edits(name, a) - edits(name, b) })
}

// edits is how many letters are to be put in, left out or changed to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
