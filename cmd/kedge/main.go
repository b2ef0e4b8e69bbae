// Command kedge runs int8 models on a small computer beside its sensors: the
// agent, and the tools of those who install and look after it. kedge --help
// lists the commands.
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
		Name:    "kedge",
		Summary: "run int8 models on a board, notice drift, report it, take signed updates",
		Commands: []cli.Command{
			runCommand(),
			configCommand(),
			enrollCommand(),
			installCommand(),
			verifyCommand(),
			inferCommand(),
			inspectCommand(),
			benchCommand(),
			compareCommand(),
			driftCommand(),
			maintenanceCommand(),
			versionCommand(),
		},
	}
}
