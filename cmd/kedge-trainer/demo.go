package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/signal"
	"syscall"

	"kedge/cmd/internal/cli"
	"kedge/trainer/demo"
)

func demoCommand() cli.Command {
	return cli.Command{
		Name:    "demo",
		Summary: "show drift, report, retraining and update on this machine",
		Detail: "Starts a broker, a centre and two real kedge processes on loopback, replays a stream that drifts,\n" +
			"and prints what happens. Without --data the stream is a simulated pump whose bearing wears.\n" +
			"With --data DIR it is recorded: files batch<N>.csv.gz with a header and the columns class,\n" +
			"concentration (not used) and features; 70 % of the first two batches are learned from.\n" +
			"The exit code is 0 only if the loop closed.",
		Setup: func(fs *flag.FlagSet) cli.Run {
			var o demo.Options
			fs.StringVar(&o.Data, "data", "", "folder of batch<N>.csv.gz `DIR` to replay instead of the simulation")
			fs.Uint64Var(&o.Seed, "seed", 1, "decides split, order, simulation and training")
			fs.StringVar(&o.Kedge, "kedge", "", "the device's `PROGRAM` (default: beside this one, else in PATH)")
			fs.StringVar(&o.Dir, "keep", "", "keep all files of the run in the new folder `DIR`")
			asJSON := fs.Bool("json", false, "print one JSON object on standard output, the live view on standard error")
			return func(ctx context.Context, env cli.Env, args []string) error {
				o.View = env.Stdout
				if *asJSON {
					o.View = env.Stderr
				}
				o.Terminal = isTerminal(o.View)
				return runDemo(ctx, env, o, *asJSON)
			}
		},
	}
}

var errLoopOpen = errors.New("demo: the loop did not close")

func runDemo(ctx context.Context, env cli.Env, o demo.Options, asJSON bool) error {
	// A reader that has gone away must not end the process in the middle, with
	// others running and a folder of keys left behind.
	gone := make(chan os.Signal, 1)
	signal.Notify(gone, syscall.SIGPIPE)
	defer signal.Stop(gone)
	result, err := demo.Run(ctx, o)
	if err != nil {
		return err
	}
	if asJSON {
		err = cli.PrintJSON(env.Stdout, result)
	} else {
		err = result.WriteTable(env.Stdout)
	}
	if err == nil && !result.OK {
		err = cli.WithHint(errLoopOpen, "it closes when drift is noticed with no alarm before, an update is committed and answers become better")
	}
	return err
}

// isTerminal reports whether w is a terminal, on which a line can be rewritten.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
