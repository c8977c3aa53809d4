// Package schemas holds what livemeter promises to the outside: the JSON Schema of each event type and version, the topics
// (asyncapi.yaml), the gateway's HTTP interface (openapi.yaml). clickhouse/*.sql is for reading: sinks/clickhouse makes the DDL and writes it
// there.
package schemas

import "embed"

// FS has events/TYPE/VERSION.json and the *.yaml files.
//
//go:embed events/*/*.json *.yaml
var FS embed.FS
