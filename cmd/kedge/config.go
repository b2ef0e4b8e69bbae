package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"kedge/agent"
	"kedge/cmd/internal/cli"
)

// defaultConfig is where the package's service looks.
const defaultConfig = "/etc/kedge/kedge.toml"

func configCommand() cli.Command {
	return cli.Command{
		Name: "config", Summary: "work with the configuration file",
		Commands: []cli.Command{{
			Name: "check", Summary: "say whether the configuration is right, without starting anything",
			Detail: "Every mistake is a line with file, line and column. docs/config.md describes every key.",
			Setup: func(fs *flag.FlagSet) cli.Run {
				path := fs.String("config", defaultConfig, "the configuration `FILE`")
				asJSON := fs.Bool("json", false, "print the result as one JSON object")
				return func(_ context.Context, env cli.Env, _ []string) error {
					return checkConfig(env, *path, *asJSON)
				}
			},
		}},
	}
}

func checkConfig(env cli.Env, path string, asJSON bool) error {
	_, err := loadConfig(path)
	var ce *agent.ConfigError
	switch {
	case err != nil && !errors.As(err, &ce):
		return err
	case asJSON:
		result := struct {
			OK       bool            `json:"ok"`
			File     string          `json:"file"`
			Problems []agent.Problem `json:"problems"`
		}{OK: err == nil, File: path, Problems: []agent.Problem{}}
		if ce != nil {
			result.Problems = ce.Problems
		}
		return errors.Join(cli.PrintJSON(env.Stdout, result), err)
	case err != nil:
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s: ok\n", path)
	return err
}

// loadConfig is agent.LoadConfig with what the user can do about a bad file.
func loadConfig(path string) (agent.Config, error) {
	c, err := agent.LoadConfig(path)
	var ce *agent.ConfigError
	switch {
	case errors.As(err, &ce):
		return c, cli.WithHint(err, "docs/config.md describes every key")
	case err != nil:
		return c, cli.WithHint(err, "--config names the file; docs/config.md shows a small one")
	}
	return c, nil
}
