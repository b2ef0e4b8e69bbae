package main

import "kedge/cmd/internal/cli"

func driftCommand() cli.Command {
	return cli.Command{
		Name: "drift", Summary: "try out drift detectors on recorded signals",
		Commands: []cli.Command{driftReplayCommand(), driftCalibrateCommand()},
	}
}
