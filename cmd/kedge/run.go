package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"

	"kedge/agent"
	"kedge/agent/buffer"
	"kedge/agent/update"
	"kedge/cmd/internal/cli"
	"kedge/telemetry/trust"
)

func runCommand() cli.Command {
	return cli.Command{
		Name: "run", Summary: "run the agent: answer samples, watch for drift, report, take updates",
		Detail: "Ends with code 0 at the end of its input and on SIGINT or SIGTERM, with code 1 if there is no\n" +
			"model to answer the input with.\n" +
			"docs/config.md describes the configuration file.",
		Setup: func(fs *flag.FlagSet) cli.Run {
			path := fs.String("config", defaultConfig, "the configuration `FILE`")
			return func(ctx context.Context, env cli.Env, _ []string) error {
				return runAgent(ctx, env, *path)
			}
		},
	}
}

func runAgent(ctx context.Context, env cli.Env, path string) error {
	c, err := loadConfig(path)
	if err != nil {
		return err
	}
	err = agent.Run(ctx, c, agent.Options{
		Log: newLog(env.Stderr, c.Log), Stdin: env.Stdin, Stdout: env.Stdout, Version: cli.BuildVersion(),
	})
	switch {
	case errors.Is(err, buffer.ErrLocked):
		return cli.WithHint(cli.WithCode(err, cli.ExitLocked), "another kedge runs on this state directory: stop it, or set device.state")
	case errors.Is(err, update.ErrNotEnrolled):
		return cli.WithHint(err, "kedge enroll makes the device's key and takes the root document")
	case errors.Is(err, trust.ErrSignature), errors.Is(err, trust.ErrMalformed):
		return cli.WithHint(signatureCode(err), "enroll the device again with the root document of its centre")
	case errors.Is(err, agent.ErrNoModel):
		return cli.WithHint(err, "kedge install takes a model from a file; with mqtt.broker an assignment at the centre brings one")
	case errors.Is(err, buffer.ErrFull):
		return cli.WithHint(err, "free space on the disk of the state directory")
	}
	return permissionHint(err)
}

// logLevels maps log.level, which was checked.
var logLevels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

func newLog(w io.Writer, c agent.LogConfig) *slog.Logger {
	o := &slog.HandlerOptions{Level: logLevels[c.Level]}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
