package main

import (
	"context"
	"flag"
	"fmt"
	goruntime "runtime"

	"kedge/cmd/internal/cli"
	"kedge/runtime"
)

func versionCommand() cli.Command {
	return cli.Command{
		Name: "version", Summary: "say what this program is and which kernels it uses here",
		Setup: setupVersion,
	}
}

// versionInfo is what version prints.
type versionInfo struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Kernels string `json:"kernels"`
}

func setupVersion(fs *flag.FlagSet) cli.Run {
	asJSON := fs.Bool("json", false, "print one JSON object")
	return func(_ context.Context, env cli.Env, _ []string) error {
		kernels, err := runtime.KernelSet(runtime.Options{})
		if err != nil {
			return cli.WithHint(err, "unset KEDGE_KERNELS, or set it to one of those")
		}
		v := versionInfo{cli.BuildVersion(), goruntime.Version(), goruntime.GOOS, goruntime.GOARCH, kernels}
		if *asJSON {
			return cli.PrintJSON(env.Stdout, v)
		}
		_, err = fmt.Fprintf(env.Stdout, "kedge %s %s %s/%s kernels=%s\n", v.Version, v.Go, v.OS, v.Arch, v.Kernels)
		return err
	}
}
