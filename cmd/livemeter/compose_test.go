package main

import (
	"context"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	composecli "github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
	"github.com/livemeter/livemeter/deploy/embedded/engines"
)

const root = "../../"

// compose reads docker-compose.yml as docker does.
func compose(t *testing.T) *types.Project {
	t.Helper()
	o, err := composecli.NewProjectOptions([]string{root + "docker-compose.yml"}, composecli.WithWorkingDirectory(root))
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// serviceConfig parses a container's command with the real command line, and reads the configuration it would have.
func serviceConfig(t *testing.T, s types.ServiceConfig) (*config.Config, []string) {
	t.Helper()
	args := slices.Clone([]string(s.Command))
	for i, a := range args {
		if host, ok := mounted(s, a); ok {
			args[i] = host
		}
	}
	c := newCLI()
	parser, err := kong.New(c, kong.Name("livemeter"), kong.Vars{"version": ""})
	if err != nil {
		t.Fatal(err)
	}
	k, err := parser.Parse(args)
	if err != nil {
		t.Fatalf("service %s: livemeter %s: %v", s.Name, strings.Join(s.Command, " "), err)
	}
	file := args[slices.Index(args, "--config")+1]
	env := func(key string) (string, bool) {
		v, ok := s.Environment[key]
		if !ok || v == nil || strings.HasSuffix(key, "_KEY_FILE") {
			return "", false
		}
		return *v, true
	}
	cfg, err := config.Load(config.Sources{File: file, Env: env, Flags: c.global().given()})
	if err != nil {
		t.Fatalf("service %s: %v", s.Name, err)
	}
	if err := service.Validate(cfg, config.Client); err != nil {
		t.Fatalf("service %s: %v", s.Name, err)
	}
	return cfg, strings.Fields(k.Command())
}

func mounted(s types.ServiceConfig, path string) (string, bool) {
	for _, v := range s.Volumes {
		if v.Target == path {
			return v.Source, true
		}
	}
	return "", false
}

// TestComposeServices: every service of ours starts with flags the code has, and finds Kafka and ClickHouse where they are.
func TestComposeServices(t *testing.T) {
	p := compose(t)
	var commands []string
	for name, s := range p.Services {
		if s.Image != "livemeter" {
			continue
		}
		cfg, command := serviceConfig(t, s)
		commands = append(commands, strings.Join(command, " "))
		if command[0] != "schema" && command[0] != name {
			t.Errorf("service %s runs livemeter %s", name, command[0])
		}
		for _, b := range cfg.Kafka.Brokers {
			if listeners := *p.Services["kafka"].Environment["KAFKA_ADVERTISED_LISTENERS"]; !strings.Contains(listeners, "://"+b) {
				t.Errorf("service %s asks for Kafka at %s, which advertises %s", name, b, listeners)
			}
		}
		host, _, _ := net.SplitHostPort(cfg.ClickHouse.Addr[0])
		if _, ok := p.Services[host]; !ok {
			t.Errorf("service %s asks for ClickHouse at %s: no such service", name, cfg.ClickHouse.Addr[0])
		}
		if user := *p.Services["clickhouse"].Environment["CLICKHOUSE_USER"]; cfg.ClickHouse.User != user {
			t.Errorf("service %s is ClickHouse user %q, the server has %q", name, cfg.ClickHouse.User, user)
		}
		for _, port := range s.Ports {
			if !slices.Contains([]string{portOf(cfg.Gateway.Addr), portOf(cfg.Admin.Addr)}, strconv.Itoa(int(port.Target))) {
				t.Errorf("service %s publishes %d, but listens on %s and %s", name, port.Target, cfg.Gateway.Addr, cfg.Admin.Addr)
			}
		}
	}
	for _, want := range []string{"gateway", "collector", "enricher", "aggregator", "schema apply"} {
		if !slices.Contains(commands, want) {
			t.Errorf("no service runs livemeter %s; there are %q", want, commands)
		}
	}
}

// TestComposeEnvironment: variables with our prefix are keys, and who writes to ClickHouse has the password that the server was given.
func TestComposeEnvironment(t *testing.T) {
	p := compose(t)
	password := *p.Services["clickhouse"].Environment["CLICKHOUSE_PASSWORD"]
	for name, s := range p.Services {
		var environ []string
		for k, v := range s.Environment {
			environ = append(environ, k+"="+*v)
		}
		if unknown := config.UnknownEnv(environ); len(unknown) > 0 {
			t.Errorf("service %s: %v are no keys", name, unknown)
		}
		if name == "topics" || name == "aggregator" {
			if got := s.Environment["LIVEMETER_CLICKHOUSE_PASSWORD"]; password == "" || got == nil || *got != password {
				t.Errorf("service %s has another password than the server", name)
			}
		}
	}
}

// TestComposeOrder: services start once Kafka and ClickHouse answer and the topics are made, in this order.
func TestComposeOrder(t *testing.T) {
	p := compose(t)
	for name, s := range p.Services {
		if s.Image != "livemeter" {
			if s.HealthCheck == nil {
				t.Errorf("%s: others wait for its health, which nobody checks", name)
			}
			continue
		}
		want := map[string]string{"kafka": types.ServiceConditionHealthy, "clickhouse": types.ServiceConditionHealthy, "topics": types.ServiceConditionCompletedSuccessfully}
		if name == "topics" {
			delete(want, "topics")
		}
		for on, condition := range want {
			if got := s.DependsOn[on].Condition; got != condition {
				t.Errorf("%s starts when %s is %q, want %q", name, on, got, condition)
			}
		}
	}
}

// TestComposeListeners: Kafka listens where it says that it does.
func TestComposeListeners(t *testing.T) {
	k := compose(t).Services["kafka"]
	listeners := map[string]string{} // name: port
	for _, l := range strings.Split(*k.Environment["KAFKA_LISTENERS"], ",") {
		name, addr, _ := strings.Cut(l, "://")
		listeners[name] = portOf(addr)
	}
	advertised := *k.Environment["KAFKA_ADVERTISED_LISTENERS"]
	for _, l := range strings.Split(advertised, ",") {
		name, addr, _ := strings.Cut(l, "://")
		if listeners[name] != portOf(addr) {
			t.Errorf("%s is advertised at %s and listens on %s", name, addr, listeners[name])
		}
	}
	if check := k.HealthCheck.Test; !strings.Contains(advertised, "://"+check[len(check)-1]) {
		t.Errorf("the health check asks %s, advertised are %s", check[len(check)-1], advertised)
	}
}

// TestComposePorts: what is published are the default ports, on loopback.
func TestComposePorts(t *testing.T) {
	d := config.Default()
	want := []string{portOf(d.Kafka.Brokers[0]), portOf(d.ClickHouse.Addr[0]), portOf(d.Gateway.Addr), portOf(d.Admin.Addr)}
	var got []string
	for _, s := range compose(t).Services {
		for _, port := range s.Ports {
			got = append(got, port.Published)
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is published on %q, want loopback", s.Name, port.Published, port.HostIP)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("published ports %v, want the defaults %v", got, want)
	}
}

// TestEnginesListenWhereServicesLook: the defaults of demo, up and engine are those of the configuration.
func TestEnginesListenWhereServicesLook(t *testing.T) {
	c, d := newCLI(), config.Default()
	parser, err := kong.New(c, kong.Vars{"version": ""})
	if err != nil {
		t.Fatal(err)
	}
	for command, addr := range map[string]*string{"demo": &c.Demo.KafkaAddr, "up": &c.Up.KafkaAddr, "engine clickhouse --dir x": &c.Engine.Clickhouse.Addr} {
		if _, err := parser.Parse(strings.Fields(command)); err != nil {
			t.Fatalf("livemeter %s: %v", command, err)
		}
		want := d.Kafka.Brokers[0]
		if addr == &c.Engine.Clickhouse.Addr {
			want = d.ClickHouse.Addr[0]
		}
		if *addr != want {
			t.Errorf("livemeter %s listens on %s, services look at %s", command, *addr, want)
		}
	}
}

// TestComposeKey: the collector, and it alone, gets the key, at the place where the code looks for it.
func TestComposeKey(t *testing.T) {
	for name, s := range compose(t).Services {
		path, given := s.Environment["LIVEMETER_PSEUDONYM_KEY_FILE"]
		if given != (name == "collector") {
			t.Errorf("service %s: key file given is %v", name, given)
		}
		if given && (len(s.Secrets) != 1 || *path != "/run/secrets/"+s.Secrets[0].Source) {
			t.Errorf("service %s reads %s, its secrets are %v", name, *path, s.Secrets)
		}
	}
}

// TestComposeEngines: the containers are the versions that the tests run on.
func TestComposeEngines(t *testing.T) {
	p := compose(t)
	if image := p.Services["kafka"].Image; image != "apache/kafka:"+engines.KafkaVersion {
		t.Errorf("kafka is %s, the tests run on %s", image, engines.KafkaVersion)
	}
	_, tag, _ := strings.Cut(p.Services["clickhouse"].Image, ":")
	if !strings.HasPrefix(engines.ClickHouseVersion, tag+".") {
		t.Errorf("clickhouse is %s, the tests run on %s", tag, engines.ClickHouseVersion)
	}
	if v := p.Services["kafka"].Environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"]; v == nil || *v != "false" {
		t.Error("Kafka would create topics with settings of its own: KAFKA_AUTO_CREATE_TOPICS_ENABLE must be false")
	}
}

func TestDockerfileExposesDefaultPorts(t *testing.T) {
	text, err := os.ReadFile(root + "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	d := config.Default()
	if want := "EXPOSE " + portOf(d.Gateway.Addr) + " " + portOf(d.Admin.Addr) + "\n"; !strings.Contains(string(text), want) {
		t.Errorf("Dockerfile: want %q", want)
	}
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}
