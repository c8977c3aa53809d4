package kafka

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// layout is where a broker has its files, and how it is told to run.
type layout struct {
	dir, addr, host string
	config          map[string]string
	jvm             []string
	member          *member // nil: a single node
}

// member is a broker's place in a cluster: all of them are controllers too, and have their addresses for good.
type member struct {
	id          int // from 1
	cluster     string
	controllers []string // by id
}

func (m *member) controller() string { return m.controllers[m.id-1] }

// config is what a cluster has instead of a single node's: a record is acknowledged when two brokers have it, of up to three.
func (m *member) config() map[string]string {
	var voters []string
	for i, addr := range m.controllers {
		voters = append(voters, fmt.Sprintf("%d@%s", i+1, addr))
	}
	replicas, inSync := strconv.Itoa(min(3, len(voters))), strconv.Itoa(min(2, len(voters)))
	return map[string]string{
		"node.id":                    strconv.Itoa(m.id),
		"controller.quorum.voters":   strings.Join(voters, ","),
		"default.replication.factor": replicas, "min.insync.replicas": inSync,
		"offsets.topic.replication.factor":         replicas,
		"transaction.state.log.replication.factor": replicas, "transaction.state.log.min.isr": inSync,
		"share.coordinator.state.topic.replication.factor": replicas, "share.coordinator.state.topic.min.isr": inSync,
	}
}

func (l layout) log() string        { return filepath.Join(l.dir, "kafka.log") }
func (l layout) data() string       { return filepath.Join(l.dir, "data") }
func (l layout) properties() string { return filepath.Join(l.dir, "server.properties") }

func (l layout) startTimeout() time.Duration {
	if l.member != nil {
		return memberTimeout
	}
	return startTimeout
}

// client is the address that clients use.
func (l layout) client() string {
	_, port, _ := net.SplitHostPort(l.addr)
	return net.JoinHostPort(l.host, port)
}

// prepare writes server.properties and formats the data directory, once.
func (l layout) prepare(ctx context.Context) error {
	controller, err := l.controller()
	if err != nil {
		return err
	}
	if err := os.WriteFile(l.properties(), l.server(controller, l.data()), 0o640); err != nil {
		return fmt.Errorf("kafka: configuration: %w", err)
	}
	if _, err := os.Stat(l.data()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return l.format(ctx, controller)
}

// controller is where the controller listens. That of a single node is nobody's to talk to, so any port will do at each start.
func (l layout) controller() (string, error) {
	if l.member != nil {
		return l.member.controller(), nil
	}
	return reserve("127.0.0.1:0")
}

// format works beside the data directory and renames: one that is there is whole.
func (l layout) format(ctx context.Context, controller string) error {
	work := l.data() + ".format"
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("kafka: format the data directory: %w", err)
	}
	properties := filepath.Join(l.dir, "format.properties")
	if err := os.WriteFile(properties, l.server(controller, work), 0o640); err != nil {
		return fmt.Errorf("kafka: format the data directory: %w", err)
	}
	args := append(l.jvm[1:len(l.jvm):len(l.jvm)], "kafka.tools.StorageTool", "format", "-c", properties)
	if l.member != nil {
		args = append(args, "-t", l.member.cluster)
	} else {
		args = append(args, "-t", clusterID(), "--standalone")
	}
	cmd := exec.CommandContext(ctx, l.jvm[0], args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("kafka: format the data directory %s: %w\n%s", l.dir, err, out)
	}
	if err := os.Rename(work, l.data()); err != nil {
		return fmt.Errorf("kafka: format the data directory: %w", err)
	}
	return os.Remove(properties)
}

// clusterID is a random UUID as Kafka writes them. One that begins with a dash would be read as an option.
func clusterID() string {
	for {
		var b [16]byte
		_, _ = rand.Read(b[:]) // never fails
		if id := base64.RawURLEncoding.EncodeToString(b[:]); id[0] != '-' {
			return id
		}
	}
}

// server is server.properties of a node that is broker and controller.
func (l layout) server(controller, data string) []byte {
	config := map[string]string{
		"process.roles":                       "broker,controller",
		"node.id":                             "1",
		"controller.quorum.bootstrap.servers": controller,
		"controller.listener.names":           "CONTROLLER",
		"listener.security.protocol.map":      "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"listeners":                           "PLAINTEXT://" + l.addr + ",CONTROLLER://" + controller,
		"advertised.listeners":                "PLAINTEXT://" + l.client() + ",CONTROLLER://" + controller,
		"log.dirs":                            data,
		"auto.create.topics.enable":           "false",
		"log.retention.ms":                    "-1", // a topic says itself when it wants one; replays have old timestamps
		"broker.heartbeat.interval.ms":        "500",
		"broker.session.timeout.ms":           "4000", // a broker that was killed may come back only after this
		"default.replication.factor":          "1",
		"min.insync.replicas":                 "1",
		"num.partitions":                      "1",
		"group.initial.rebalance.delay.ms":    "0",

		"offsets.topic.replication.factor": "1", "offsets.topic.num.partitions": "8",
		"transaction.state.log.replication.factor": "1", "transaction.state.log.min.isr": "1", "transaction.state.log.num.partitions": "8",
		"share.coordinator.state.topic.replication.factor": "1", "share.coordinator.state.topic.min.isr": "1",
	}
	if l.member != nil {
		delete(config, "controller.quorum.bootstrap.servers")
		maps.Copy(config, l.member.config())
	}
	maps.Copy(config, l.config)
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(config)) {
		fmt.Fprintf(&b, "%s=%s\n", key, strings.ReplaceAll(config[key], `\`, `\\`))
	}
	return []byte(b.String())
}
