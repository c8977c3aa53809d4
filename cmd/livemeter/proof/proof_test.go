package proof

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
)

const scraped = `# HELP livemeter_reader_event_to_queryable_seconds …
livemeter_reader_behind_records_total{group="p.run"} 3
livemeter_reader_event_to_queryable_seconds_bucket{group="p.run",le="0.2"} 10
livemeter_reader_event_to_queryable_seconds_bucket{group="p.run",le="0.5"} 50
livemeter_reader_event_to_queryable_seconds_bucket{group="p.run",le="1"} 90
livemeter_reader_event_to_queryable_seconds_bucket{group="p.run",le="+Inf"} 100
livemeter_reader_event_to_queryable_seconds_sum{group="p.run"} 77
livemeter_reader_flush_seconds_bucket{group="p.run",le="0.2"} 5000
`

// TestFreshness: processes that come one after the other add up, and a part of all lies straight between two bounds.
func TestFreshness(t *testing.T) {
	var f freshness
	f.next()
	f.set(parseFreshness([]byte(scraped)))
	f.set(parseFreshness([]byte(scraped))) // the same process, asked again
	f.next()
	f.set(parseFreshness([]byte(scraped)))
	s := f.sum()
	if s.count() != 200 || s.behind != 6 {
		t.Errorf("%d samples, %v behind; want 200 and 6", s.count(), s.behind)
	}
	for part, want := range map[float64]time.Duration{.05: 100 * time.Millisecond, .5: 500 * time.Millisecond, .7: 750 * time.Millisecond, .99: time.Second} {
		if got := s.quantile(part); got != want {
			t.Errorf("%v of all within %v, want %v", part, got, want)
		}
	}
}

// TestWorkersGetTheirOwnConfiguration: no variable of the user's wins over the place, no secret is written to disk, and none is lost.
func TestWorkersGetTheirOwnConfiguration(t *testing.T) {
	secret := t.TempDir() + "/password"
	if err := os.WriteFile(secret, []byte("kafka-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"LIVEMETER_KAFKA_PREFIX": "prod.", "LIVEMETER_CLICKHOUSE_DATABASE": "prod", "LIVEMETER_CLICKHOUSE_PASSWORD": "store-secret", "LIVEMETER_INSTANCE_ID": "one",
		"LIVEMETER_KAFKA_SASL_MECHANISM": "plain", "LIVEMETER_KAFKA_SASL_USER": "u", "LIVEMETER_KAFKA_SASL_PASSWORD_FILE": secret, "LIVEMETER_EVENTS_PARTITIONS": "5",
		"LIVEMETER_PSEUDONYM_KEY": strings.Repeat("ab", 16), "LIVEMETER_GATEWAY_ADDR": "0.0.0.0:8080", "LIVEMETER_GATEWAY_TOKENS": "t:0123456789abcdef", "LIVEMETER_CLICKHOUSE_TAKE_OVER": "true"}
	for name, value := range env {
		t.Setenv(name, value)
	}
	user, err := config.Load(config.Sources{Env: os.LookupEnv})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	workers, err := newWorkers("run", "livemeter", dir, own(user, "0123abcd"))
	if err != nil {
		t.Fatal(err)
	}
	file := dir + "/livemeter.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w := workers[0]
	got, err := config.Load(config.Sources{File: file, Env: func(key string) (string, bool) {
		i := slices.IndexFunc(w.env, func(e string) bool { return strings.HasPrefix(e, key+"=") })
		if i < 0 {
			return "", false
		}
		return w.env[i][len(key)+1:], true
	}})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, c := range []struct{ got, want any }{
		{got.Kafka.Prefix, "livemeter-verify-0123abcd."}, {got.ClickHouse.Database, "livemeter_verify_0123abcd"}, {got.ClickHouse.Password, "store-secret"}, {got.Kafka.SASL.Password, "kafka-secret"},
		{got.Kafka.SASL.User, "u"}, {got.Events.Partitions, 5}, {got.ClickHouse.TakeOver, false}, {got.InstanceID, ""}, {got.Gateway.Addr, "127.0.0.1:0"}, {len(got.PseudonymKey), 64},
		{slices.Contains(workers[0].cmd, "verify-run-1"), true}, {slices.Contains(workers[1].cmd, "--instance-id"), false},
	} {
		if c.got != c.want {
			t.Errorf("a worker gets %v, want %v", c.got, c.want)
		}
	}
	for _, secret := range []string{"kafka-secret", "store-secret", got.PseudonymKey} {
		if strings.Contains(string(text), secret) || strings.Contains(strings.Join(w.cmd, " "), secret) {
			t.Errorf("%s is on disk or in the process list", secret)
		}
	}
}

// TestWhatToGrant: Kafka's refusal, also one that only a worker's log has, comes with the rights that are missing.
func TestWhatToGrant(t *testing.T) {
	cfg := config.Default()
	cfg.Kafka.SASL.User = "shop"
	p := &place{cfg: own(cfg, "0123abcd")}
	err := p.lacks(os.ErrPermission)
	if err != os.ErrPermission {
		t.Errorf("%v, want no more than the error", err)
	}
	err = p.lacks(&refusal{})
	for _, want := range []string{"--allow-principal User:shop", "--resource-pattern-type prefixed --topic livemeter-verify- --group livemeter-verify- --transactional-id livemeter-verify-"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %q in it", err, want)
		}
	}
}

// refusal is what a worker that ended leaves in its log.
type refusal struct{}

func (*refusal) Error() string {
	return `run-1 ended: {"error":"GROUP_AUTHORIZATION_FAILED: Not authorized"}`
}
