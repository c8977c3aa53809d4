package service

import (
	"errors"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
)

// Validate returns every mistake of a configuration at once, each with its key and where that stands: what the configuration checks itself, and what
// each component asks of its part. All of it, whatever a command needs: services share a file.
func Validate(c *config.Config, s config.Service) error {
	own := c.Validate(s)
	full := c.WithDefaults() // what is empty is a mistake that has been told
	sink := SinkConfig(full)
	sink.Zone = "" // the configuration asks more of it
	return c.Located(errors.Join(own, sink.Validate(), GatewayConfig(full).Validate(), CollectorConfig(full).Validate(),
		runReader(full).Validate()))
}
