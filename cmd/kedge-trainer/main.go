// Command kedge-trainer is the centre: it serves devices, trains and signs what
// they run. kedge-trainer --help lists the commands.
package main

import (
	"context"
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
		Summary: "serve devices: broker, retraining, signed updates",
		Commands: []cli.Command{
			demoCommand(),
			serveCommand(),
			keysCommand(),
			trainCommand(),
			releaseCommand(),
			bundleCommand(),
			assignCommand(),
			versionCommand(),
		},
	}
}
