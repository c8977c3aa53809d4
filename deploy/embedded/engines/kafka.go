package engines

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// KafkaVersion is the version of Apache Kafka in kafka-pom.xml.
const KafkaVersion = "4.2.0"

// minJava is the oldest Java that runs Kafka's broker.
const minJava = 17

//go:embed kafka-pom.xml
var kafkaPom []byte

// kafkaSums has a line for each jar, as sha256sum prints it.
//
//go:embed kafka.sha256
var kafkaSums string

// Kafka gives the directory of Apache Kafka's jars, fetching them with Maven the first time (43 MB). progress, which may be nil, is told of
// steps that take longer than two seconds.
func Kafka(ctx context.Context, progress func(string)) (string, error) {
	if _, err := Java(ctx); err != nil { // the jars are of no use without it
		return "", err
	}
	report := reporter(progress)
	return ensure(ctx, "kafka-"+KafkaVersion, report, func(ctx context.Context, dir string) error {
		return fetchKafka(ctx, dir, report)
	})
}

func fetchKafka(ctx context.Context, dir string, report reporter) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("engines: Maven is needed once, to fetch Apache Kafka; install it (Debian, Ubuntu: apt-get install maven)")
	}
	pom := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(pom, kafkaPom, 0o644); err != nil {
		return fmt.Errorf("engines: %w", err)
	}
	err = report.during("fetching Apache Kafka "+KafkaVersion+" with Maven (43 MB, once)", func() error {
		cmd := exec.CommandContext(ctx, mvn, "-q", "-B", "-f", pom, "dependency:copy-dependencies", "-DoutputDirectory="+dir)
		cmd.Dir = dir
		return run(ctx, cmd, "Maven could not fetch Apache Kafka "+KafkaVersion, end)
	})
	if err != nil {
		return err
	}
	return verifyJars(dir)
}

// verifyJars wants exactly the jars that are pinned.
func verifyJars(dir string) error {
	want := map[string]string{}
	for line := range strings.Lines(kafkaSums) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want[name] = sum
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.jar"))
	if err != nil {
		return fmt.Errorf("engines: %w", err)
	}
	for _, path := range found {
		sum, pinned := want[filepath.Base(path)]
		if !pinned {
			return fmt.Errorf("engines: Maven fetched %s, which is not among the pinned jars of Apache Kafka %s", filepath.Base(path), KafkaVersion)
		}
		if err := verify(path, sum); err != nil {
			return err
		}
		delete(want, filepath.Base(path))
	}
	for name := range want {
		return fmt.Errorf("engines: Maven did not fetch %s, which Apache Kafka %s needs", name, KafkaVersion)
	}
	return nil
}

var javaVersion = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// Java gives the path of a Java that can run Kafka: that of $JAVA_HOME, else the one in $PATH.
func Java(ctx context.Context) (string, error) {
	const install = "install a Java runtime, 17 or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless), or use the embedded Kafka, which needs none"
	java, err := exec.LookPath("java")
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java, err = exec.LookPath(filepath.Join(home, "bin", "java"))
	}
	if err != nil {
		return "", errors.New("engines: Apache Kafka needs Java; " + install)
	}
	out, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("engines: %s -version: %w", java, err)
	}
	found := javaVersion.FindSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("engines: %s -version says %q, which names no version; %s", java, out, install)
	}
	if major, _ := strconv.Atoi(string(found[1])); major < minJava {
		return "", fmt.Errorf("engines: Apache Kafka needs Java %d or newer, %s is %d; %s", minJava, java, major, install)
	}
	return java, nil
}
