package main

import (
	"context"
	"flag"
	"fmt"
	goruntime "runtime"

	"kedge/cmd/internal/cli"
)

func versionCommand() cli.Command {
	return cli.Command{
		Name: "version", Summary: "say what this program is",
		Setup: func(fs *flag.FlagSet) cli.Run {
			asJSON := fs.Bool("json", false, "print one JSON object")
			return func(_ context.Context, env cli.Env, _ []string) error {
				v := map[string]string{
					"version": cli.BuildVersion(), "go": goruntime.Version(), "os": goruntime.GOOS, "arch": goruntime.GOARCH,
				}
				if *asJSON {
					return cli.PrintJSON(env.Stdout, v)
				}
				_, err := fmt.Fprintf(env.Stdout, "kedge-trainer %s %s %s/%s\n", v["version"], v["go"], v["os"], v["arch"])
				return err
			}
		},
	}
}
