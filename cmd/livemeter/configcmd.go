package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/livemeter/livemeter/cmd/livemeter/config"
	"github.com/livemeter/livemeter/cmd/livemeter/service"
)

type configCmd struct {
	Check     configCheckCmd     `cmd:"" help:"Tell all mistakes at once; exit code 1 if there is any."`
	Show      configShowCmd      `cmd:"" help:"Print what took effect, without secrets; exit code 1 if it is invalid."`
	Reference configReferenceCmd `cmd:"" help:"Print docs/config.md."`
}

func (configCmd) Help() string {
	return "Example:\n    livemeter config check --config livemeter.yaml"
}

type configCheckCmd struct {
	withConfig
	For string `help:"Check for this one of ${enum}: run and collector also need a pseudonym key." enum:"run,collector,enricher,aggregator,gateway,client" default:"client"`
}

func (configCheckCmd) Help() string {
	return `Reads the file, the environment and the flags as the services do, and prints every mistake, one a line.

Example:
    livemeter config check --config livemeter.yaml --for run`
}

func (c configCheckCmd) Run(g global, s streams) error {
	needs := config.Client
	if c.For == "run" || c.For == "collector" {
		needs = config.Pipeline
	}
	cfg, err := c.read(g, nil)
	err = errors.Join(err, service.Validate(cfg, needs))
	for _, mistake := range config.MistypedEnv(os.Environ()) { // others only warn of it
		err = errors.Join(err, errors.New(mistake))
	}
	for _, name := range config.UnknownEnv(os.Environ()) {
		if config.FromKubernetes(name) {
			fmt.Fprintf(s.err, "note: the environment has %s, which is no key: Kubernetes sets such for services\n", name)
		}
	}
	for _, doubt := range cfg.Doubts() {
		fmt.Fprintln(s.err, "note: "+doubt)
	}
	if err != nil {
		fmt.Fprintln(s.err, err)
		return errSilent
	}
	fmt.Fprintln(s.out, "The configuration is valid.")
	if _, err := cfg.Key(); c.For == "client" && errors.Is(err, config.ErrNoKey) {
		fmt.Fprintln(s.out, "note: it has no pseudonym_key: run and collector refuse to start without one "+
			"(pseudonym_key_file, --pseudonym-key-file or LIVEMETER_PSEUDONYM_KEY_FILE); --for run asks for it")
	}
	return nil
}

type configShowCmd struct{ withConfig }

func (configShowCmd) Help() string {
	return "Example:\n    LIVEMETER_HORIZON=720h livemeter config show"
}

func (c configShowCmd) Run(g global, s streams) error {
	cfg, err := c.load(g, sayTo(s.err), nil)
	if err != nil { // of what could not be read the defaults would be shown
		return err
	}
	if _, err := fmt.Fprint(s.out, cfg.YAML()); err != nil {
		return err
	}
	if err := service.Validate(cfg, config.Client); err != nil { // commands refuse what is shown here
		fmt.Fprintln(s.err, err)
		return errSilent
	}
	return nil
}

type configReferenceCmd struct{}

func (configReferenceCmd) Help() string {
	return "Example:\n    livemeter config reference > docs/config.md"
}

func (configReferenceCmd) Run(s streams) error {
	_, err := fmt.Fprint(s.out, config.Reference())
	return err
}
