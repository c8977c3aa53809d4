// Package config is the configuration of livemeter's services: one YAML file, overridden by environment variables, overridden by flags.
// A key, its default, its meaning and its names everywhere stand in one place: the tags of the structs here. The reference
// docs/config.md is generated from them. What a value must be, the component says that it is for; Validate here says the rest, and service.Validate
// asks all. Components have defaults for who uses them without a configuration: a test of service holds them to these.
package config

import "time"

// Config is what every command but check and engines works with; demo and up set what engines of their own want otherwise.
type Config struct {
	Kafka      Kafka      `yaml:"kafka" doc:"The Kafka that holds all topics."`
	Topics     Topics     `yaml:"topics" doc:"What is asked of topics when they are created. What exists is checked at start and never changed."`
	Events     Events     `yaml:"events" doc:"The topics events, events.enriched and the changelogs beside them."`
	ClickHouse ClickHouse `yaml:"clickhouse" doc:"The store that analysts query."`
	Gateway    Gateway    `yaml:"gateway" doc:"Events over HTTP."`
	Admin      Admin      `yaml:"admin" doc:"/healthz, /readyz, /metrics and /debug/pprof of every service."`

	Horizon    time.Duration `yaml:"horizon" default:"6h" main:"yes" doc:"How far behind the watermark every measure is exact. A later event still counts in sums, counts and money, but no more in distinct viewers and online; a view is forgotten this long after its last event. Wide from the log's beginning (720h at most) it takes old records exactly; widened later it does so only for what is not forgotten yet."`
	Lateness   time.Duration `yaml:"lateness" default:"60s" doc:"A window is final when the watermark has passed its end by this, in whole seconds. Raised in the middle of a log it holds from there on, and what was final stays so; a lower one takes effect in a new log only."`
	SessionGap time.Duration `yaml:"session_gap" default:"1h" doc:"A live session is final when the watermark has passed its last event by this."`
	Dedupe     time.Duration `yaml:"dedupe" default:"10m" doc:"How long an event_id is remembered, by receive time. At least 10m. Orders, cost and stock have no such limit."`
	Zone       string        `yaml:"zone" default:"Asia/Shanghai" doc:"The shop's time zone, in which days begin: an IANA name with whole-hour offsets."`

	PseudonymKey     string `yaml:"pseudonym_key" secret:"yes" doc:"Key of the pseudonyms that replace user, anonymous and buyer ids: 32 or 64 hexadecimal digits, the same for all collectors of a log and for ever (openssl rand -hex 32). Another key makes every viewer a new one."`
	PseudonymKeyFile string `yaml:"pseudonym_key_file" main:"yes" doc:"File that holds pseudonym_key, instead of it. Collector and run demand one of the two; only demo and up generate a key."`

	CheckpointEvery time.Duration `yaml:"checkpoint_every" default:"5s" doc:"How often changed state and the consumed offset go to the changelog, in one Kafka transaction. A restart replays about this much; where packing state takes long, less often: up to a minute."`
	Flush           Flush         `yaml:"flush" doc:"When rows leave for ClickHouse."`
	Collector       Collector     `yaml:"collector" doc:"From the raw topics into the log events."`
	Limits          Limits        `yaml:"limits" doc:"Bounds. Reaching one drops nothing: see the metric and the log line."`
	InstanceID      string        `yaml:"instance_id" doc:"Static membership in Kafka's consumer groups: a killed process that comes back with the same id goes on at once instead of after 10 s. Two live processes of a service must not share one. Takes kafka.group_protocol classic."`
	Log             Log           `yaml:"log" doc:"Log lines, to standard error."`

	wrong []string          // keys whose value could not be read
	from  map[string]string // where the value of a key comes from, for messages: FILE:LINE, or the variable or flag
}

// Kafka says how to reach it and how its topics are called.
type Kafka struct {
	Brokers       []string `yaml:"brokers" default:"127.0.0.1:9092" main:"yes" doc:"Addresses to start from, host:port."`
	Prefix        string   `yaml:"prefix" main:"yes" doc:"Put before the name of every topic and consumer group: prod. gives prod.raw.viewer."`
	GroupProtocol string   `yaml:"group_protocol" default:"classic" doc:"classic: the members of a consumer group assign, and one that is killed is missed after 10 s. consumer: the brokers assign (KIP-848), which takes Kafka 4.0 or later; others are spoken to in the classic way. A killed member is then missed after the brokers' group.consumer.session.timeout.ms (45 s), and a partition waits for its new owner for up to group.consumer.heartbeat.interval.ms (5 s): set to 10000 and 1000 there, with group.consumer.min.session.timeout.ms and group.consumer.min.heartbeat.interval.ms, it is as fast as classic. Not with instance_id. Processes may be changed one by one."`
	TLS           TLS      `yaml:"tls" doc:"Encryption of the connection."`
	SASL          SASL     `yaml:"sasl" doc:"Authentication."`
}

// BrokersAssign: the groups use the protocol of KIP-848.
func (k *Kafka) BrokersAssign() bool { return k.GroupProtocol == "consumer" }

// TLS of a client connection.
type TLS struct {
	Enabled    bool   `yaml:"enabled" default:"false" doc:"Encrypt, and check the server's certificate."`
	CAFile     string `yaml:"ca_file" doc:"PEM file of the authorities to trust; the system's if empty."`
	CertFile   string `yaml:"cert_file" doc:"PEM file of the client's certificate, where the server asks for one."`
	KeyFile    string `yaml:"key_file" doc:"PEM file of its private key."`
	ServerName string `yaml:"server_name" doc:"Name to check the certificate against; the address's host if empty."`
}

// SASL of the Kafka connection.
type SASL struct {
	Mechanism    string `yaml:"mechanism" doc:"plain, scram-sha-256 or scram-sha-512, in small letters or capitals; empty: none."`
	User         string `yaml:"user" doc:"User name."`
	Password     string `yaml:"password" secret:"yes" doc:"Password."`
	PasswordFile string `yaml:"password_file" doc:"File that holds the password, instead of it."`
}

// Topics that livemeter creates where they are missing.
type Topics struct {
	Partitions        int           `yaml:"partitions" default:"2" doc:"Partitions of each raw topic that is created; one that exists may have any number."`
	Replication       int           `yaml:"replication" default:"-1" doc:"Replication factor of all topics; -1 takes the broker's default."`
	Retention         time.Duration `yaml:"retention" default:"7d" zero:"yes" doc:"How long raw topics are kept; 0: for ever."`
	RejectedRetention time.Duration `yaml:"rejected_retention" default:"7d" doc:"How long events.rejected keeps the original bytes of invalid records, which may name persons; at most 7d."`
	LogAppend         bool          `yaml:"log_append_time" default:"true" doc:"Raw topics stamp the receive time at the broker (LogAppendTime). Only false lets a producer or a backfill set it; demo and up do so."`
}

// Events is the log of truth.
type Events struct {
	Partitions int           `yaml:"partitions" default:"2" doc:"Partitions of events, events.enriched and their changelogs: the parallelism of enricher and aggregator. It cannot change for a topic that exists."`
	Retention  time.Duration `yaml:"retention" default:"7d" zero:"yes" doc:"How long events is kept; 0: for ever. A task that is down for longer loses what it has not read."`
}

// ClickHouse says how to reach it and how long rows are kept.
type ClickHouse struct {
	Addr         []string      `yaml:"addr" default:"127.0.0.1:8123" main:"yes" doc:"host:port of the servers, tried in order. demo and up listen on the first."`
	Protocol     string        `yaml:"protocol" default:"http" doc:"http (port 8123) or native (port 9000)."`
	Database     string        `yaml:"database" default:"livemeter" main:"yes" doc:"Database of all tables and views."`
	User         string        `yaml:"user" default:"default" doc:"User name."`
	Password     string        `yaml:"password" secret:"yes" doc:"Password."`
	PasswordFile string        `yaml:"password_file" doc:"File that holds the password, instead of it."`
	TLS          TLS           `yaml:"tls" doc:"Encryption of the connection."`
	Compression  string        `yaml:"compression" default:"none" doc:"Of blocks on the wire: none or lz4."`
	DialTimeout  time.Duration `yaml:"dial_timeout" default:"5s" doc:"For one connection."`
	WriteTimeout time.Duration `yaml:"write_timeout" default:"20s" doc:"For one attempt of one INSERT: of a server that says nothing for longer it is said that it does not answer. Below flush.timeout, which ends all attempts."`
	Parallel     int           `yaml:"parallel" default:"2" doc:"INSERTs that run at a time."`
	MaxBlockRows int           `yaml:"max_block_rows" default:"200000" doc:"Most rows of one INSERT, at most 500000: bounds the memory of client and server."`
	TakeOver     bool          `yaml:"take_over" main:"yes" doc:"For one start: go on though another database has the rows of this log up to now, which will not be in this one, or though this one has lost some; or show the numbers of this log though the database shows another log's. Else such a start is refused. Stop all other processes of the pipeline before: they would end."`
	TTL          TTL           `yaml:"ttl" doc:"How long rows are kept, by grain, in whole days; 0: for ever. No row is made for a window that is older."`
}

// TTL by grain.
type TTL struct {
	Grain10s time.Duration `yaml:"10s" default:"14d" zero:"yes" doc:"Of 10 s windows. They stand in the rows of their minutes and are kept no longer than those."`
	Grain1m  time.Duration `yaml:"1m" default:"90d" zero:"yes" doc:"Of minutes. An hour is read from them until it is final."`
	Grain1h  time.Duration `yaml:"1h" default:"1095d" zero:"yes" doc:"Of hours. Days and live sessions are read from the same rows, which are kept as long as the longest of the three asks."`
	Grain1d  time.Duration `yaml:"1d" default:"1095d" zero:"yes" doc:"Of days, which are sums of hours: see 1h. Orders and outcomes are kept as long, too."`
	Session  time.Duration `yaml:"session" default:"1095d" zero:"yes" doc:"Of live sessions, which are sums of hours: see 1h."`
}

// Gateway is the HTTP service. Its limits of a request (500 KB, 2,500 events) are part of the interface and no configuration.
type Gateway struct {
	Addr             string        `yaml:"addr" default:"127.0.0.1:8080" main:"yes" doc:"Where the gateway listens, host:port."`
	Tokens           []Token       `yaml:"tokens" secret:"yes" doc:"Who may post. Without any, everybody who reaches the address, which must then be on loopback. In the environment: name:secret, separated by commas."`
	AllowOpen        bool          `yaml:"allow_open" default:"false" doc:"Listen beyond loopback without tokens all the same."`
	RatePerToken     float64       `yaml:"rate_per_token" default:"0" zero:"yes" doc:"Events a second for each token, above it 429; 0: no limit. What a token did not send it may send later, up to one second's events or, where that is more, one largest batch (2,500 events)."`
	AllowedOrigins   []string      `yaml:"allowed_origins" doc:"Browser origins whose pages may send events and read answers, such as https://shop.example, or *. Pages of the host that is asked (Host) always may; any other Origin is answered 403."`
	MaxInFlightBytes int64         `yaml:"max_in_flight_bytes" default:"67108864" doc:"Bodies being read or waiting for Kafka, over all requests; above it 429."`
	MaxConnections   int           `yaml:"max_connections" default:"2048" doc:"Open at a time; more wait until one ends."`
	ProduceTimeout   time.Duration `yaml:"produce_timeout" default:"5s" doc:"How long a request waits for Kafka before it is answered 503."`
	ReadTimeout      time.Duration `yaml:"read_timeout" default:"15s" doc:"For headers and body of one request."`
}

// Token lets one SDK or server post events.
type Token struct {
	Name   string  `yaml:"name" doc:"Shown in logs, where the secret is not."`
	Secret string  `yaml:"secret" secret:"yes" doc:"At least 16 bytes."`
	Rate   float64 `yaml:"rate" doc:"Events a second; 0 takes rate_per_token."`
}

// Admin is the port for operators.
type Admin struct {
	Addr string `yaml:"addr" default:"127.0.0.1:9464" main:"yes" doc:"Where metrics, health and pprof listen, host:port. It asks for no password: keep it inside."`
}

// Flush paces the rows of one process.
type Flush struct {
	Hot       time.Duration `yaml:"hot" default:"200ms" doc:"Shortest time between two writes to ClickHouse: the freshness of live rows."`
	Max       time.Duration `yaml:"max" default:"2s" doc:"Longest, when writes are slow or rows are many."`
	Behind    time.Duration `yaml:"behind" default:"5s" doc:"Shortest time between two flushes of a partition that is catching up: only rows that have reached their end leave then."`
	RowBudget int           `yaml:"row_budget" default:"100000" doc:"Rows a second; above it the interval grows."`
	Timeout   time.Duration `yaml:"timeout" default:"30s" doc:"For one write with all its attempts, of dead letters, too; what fails is kept and written again."`
}

// Collector paces the first hop.
type Collector struct {
	Group            string        `yaml:"group" default:"collector" doc:"Consumer groups are called prefix + this + . + raw topic."`
	Linger           time.Duration `yaml:"linger" default:"2ms" doc:"How long an event waits for others in its block; five times that while catching up."`
	BlockBytes       int           `yaml:"block_bytes" default:"49152" doc:"A block that has reached this is sent: few do but while catching up."`
	MaxInflightBytes int           `yaml:"max_inflight_bytes" default:"8388608" doc:"Built and not acknowledged; at the limit no record is taken."`
	RejectedRate     int           `yaml:"rejected_rate" default:"8388608" doc:"Bytes a second of one source partition's invalid records that events.rejected keeps, a minute's worth at once: beyond it a flood of rubbish is counted, by reason, and not kept (livemeter_collector_rejected_unkept_total). 0: no limit."`
	ProgressEvery    time.Duration `yaml:"progress_every" default:"100ms" doc:"How often the progress of the sources is written into the log: it moves the watermark."`
	IdleGrace        time.Duration `yaml:"idle_grace" default:"500ms" doc:"A source read to its end promises nothing older than the moment it was asked for that end, minus this. Producers' records must not arrive with an older timestamp."`
	StallAfter       time.Duration `yaml:"stall_after" default:"10m" doc:"How long the watermark waits for a partition of a raw topic that brings nothing and cannot be asked whether there is more, because its leader is away or what it holds cannot be read. After that it goes on without it, and what comes of it later is late: final windows are corrected. 0 waits for ever."`
	CommitEvery      time.Duration `yaml:"commit_every" default:"1s" doc:"How often the offsets of the raw topics are committed. What is read twice is dropped by its provenance."`
}

// Limits bound memory.
type Limits struct {
	MaxCells      uint32 `yaml:"max_cells" default:"2000000" doc:"Active cells of a partition. Above it the windows that end first close early and leave; a new generation opens if they change again. It stands in the log: that of the collectors counts."`
	MaxDirtyCells int    `yaml:"max_dirty_cells" default:"1000000" doc:"Cells and orders of a partition that ClickHouse has not acknowledged. Above it the partition reads no more until it does."`
}

// Log lines.
type Log struct {
	Level  string `yaml:"level" default:"info" main:"yes" doc:"debug, info, warn or error."`
	Format string `yaml:"format" default:"json" doc:"json or console."`
}
