// Command kedge-trainer is the centre: it serves devices, trains and signs what
// they run. kedge-trainer --help lists the commands.
package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"kedge/cmd/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := program().Main(ctx, cli.OSEnv(), os.Args[1:])
	stop()
	os.Exit(code)
}

// program is the whole command line.
func program() cli.Program {
	return cli.Program{
		Name:    "kedge-trainer",
		Summary: "serve devices: broker, retraining, signed updates; compress and measure models",
		Commands: interruptible([]cli.Command{
			demoCommand(),
			serveCommand(),
			keysCommand(),
			trainCommand(),
			releaseCommand(),
			bundleCommand(),
			assignCommand(),
			importCommand(),
			pruneCommand(),
			quantizeCommand(),
			evalCommand(),
			inspectCommand(),
			compareCommand(),
			reportCommand(),
			versionCommand(),
		}),
	}
}

var errInterrupted = errors.New("interrupted")

// interruptible makes commands that a signal ends say so, instead of what it
// happened to break off.
func interruptible(commands []cli.Command) []cli.Command {
	for i := range commands {
		c := &commands[i]
		interruptible(c.Commands)
		if c.Setup == nil {
			continue
		}
		setup := c.Setup
		c.Setup = func(fs *flag.FlagSet) cli.Run {
			run := setup(fs)
			return func(ctx context.Context, env cli.Env, args []string) error {
				err := run(ctx, env, args)
				if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
					return errInterrupted
				}
				return err
			}
		}
	}
	return commands
}
