package engines

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestEnsureFetchesOnce(t *testing.T) {
	t.Setenv("LIVEMETER_ENGINES", filepath.Join(t.TempDir(), "cache"))
	var fetched atomic.Int32
	fetch := func(_ context.Context, dir string) error {
		fetched.Add(1)
		return os.WriteFile(filepath.Join(dir, "engine"), []byte("x"), 0o644)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			dir, err := ensure(t.Context(), "thing-1", nil, fetch)
			if err != nil || !exists(filepath.Join(dir, "engine")) {
				t.Errorf("%s %v", dir, err)
			}
		})
	}
	group.Wait()
	if n := fetched.Load(); n != 1 {
		t.Errorf("fetched %d times", n)
	}
}

// A fetch that fails, or that a killed process left half done, leaves nothing that the next takes for whole.
func TestEnsureAfterFailure(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("LIVEMETER_ENGINES", cache)
	broken := errors.New("no network")
	if _, err := ensure(t.Context(), "thing-1", nil, func(_ context.Context, dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o644), broken)
	}); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if err := os.MkdirAll(filepath.Join(cache, "thing-1.part", "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := ensure(t.Context(), "thing-1", nil, func(_ context.Context, dir string) error {
		if exists(filepath.Join(dir, "half")) {
			t.Error("the next fetch finds what the last one left")
		}
		return nil
	})
	if err != nil || dir != filepath.Join(cache, "thing-1") {
		t.Fatalf("%s %v", dir, err)
	}
}

// command puts a shell script of this name on an otherwise empty PATH.
func command(t *testing.T, name, script string) {
	t.Helper()
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("JAVA_HOME", "")
	t.Setenv("LIVEMETER_ENGINES", t.TempDir())
	if name != "" {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMissingTools(t *testing.T) {
	for name, c := range map[string]struct {
		tool, script string
		ensure       func(context.Context, func(string)) (string, error)
		want         []string
	}{
		"no npm":       {"", "", ClickHouse, []string{"npm is needed", "apt-get install npm"}},
		"npm fails":    {"npm", `case "$*" in *silent*) exit 1;; esac; echo ENOTFOUND registry; exit 1`, ClickHouse, []string{"npm could not fetch", ClickHouseVersion, "network", "ENOTFOUND"}},
		"npm forges":   {"npm", "echo x > other.tgz", ClickHouse, []string{"not the pinned file", clickHouseSum}},
		"no Java":      {"", "", Kafka, []string{"needs Java", "apt-get install openjdk-17"}},
		"old Java":     {"java", `echo 'openjdk version "11.0.2" 2019-01-15' >&2`, Kafka, []string{"Java 17 or newer", "is 11"}},
		"ancient Java": {"java", `echo 'java version "1.8.0_292"' >&2`, Kafka, []string{"Java 17 or newer", "is 8"}},
		"no Maven":     {"java", `echo 'openjdk version "21" 2023-09-19' >&2`, Kafka, []string{"Maven is needed", "apt-get install maven"}},
	} {
		t.Run(name, func(t *testing.T) {
			command(t, c.tool, c.script)
			_, err := c.ensure(t.Context(), nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in the error: %v", want, err)
				}
			}
		})
	}
}

// Without a network npm tries once more, and of its stack of lines two are told.
func TestNpmSaysWhyInALine(t *testing.T) {
	command(t, "npm", `case "$*" in *--fetch-retries=1*) ;; *) echo retries; exit 1;; esac
echo 'npm error code ENOTFOUND
npm error syscall getaddrinfo
npm error errno ENOTFOUND
npm error network request to https://registry.npmjs.org/x failed, reason: getaddrinfo ENOTFOUND
npm error network This is a problem related to network connectivity.
npm error A complete log of this run can be found in: /root/.npm/_logs/x.log' >&2; exit 1`)
	_, err := ClickHouse(t.Context(), nil)
	if err == nil || !strings.HasSuffix(err.Error(), "\nENOTFOUND: network request to https://registry.npmjs.org/x failed, reason: getaddrinfo ENOTFOUND") {
		t.Errorf("got %v", err)
	}
}

func TestJarsArePinned(t *testing.T) {
	dir := t.TempDir()
	jar := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	defer func(sums string) { kafkaSums = sums }(kafkaSums)
	kafkaSums = fmt.Sprintf("%x  a.jar\n%x  b.jar\n", sha256.Sum256([]byte("a")), sha256.Sum256([]byte("b")))
	want := func(text string) {
		t.Helper()
		if err := verifyJars(dir); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q", err, text)
		}
	}
	jar("a.jar", "a")
	want("did not fetch b.jar")
	jar("b.jar", "forged")
	want("b.jar is not the pinned file")
	jar("b.jar", "b")
	if err := verifyJars(dir); err != nil {
		t.Error(err)
	}
	jar("c.jar", "c")
	want("c.jar, which is not among the pinned")
}
