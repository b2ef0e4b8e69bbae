package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"kedge/agent"
	"kedge/cmd/internal/cli"
)

func maintenanceCommand() cli.Command {
	return cli.Command{
		Name: "maintenance", Summary: "keep a device from crying drift while somebody works on it",
		Commands: []cli.Command{
			maintenanceChange(true, "start", "raise no alarm until the maintenance ends",
				"Samples are answered meanwhile. At the end an alarm that stood is over, and the watch begins anew\n"+
					"with what it has learned. It ends by itself after --for, or maintenance.limit at the latest."),
			maintenanceChange(false, "end", "end the maintenance: watch for drift again",
				"The watch begins anew with a reference of the latest samples, which is weak until the centre signs it."),
			{
				Name: "status", Summary: "say whether the device is in maintenance, since when, and who wanted it",
				Setup: func(fs *flag.FlagSet) cli.Run {
					path := fs.String("config", defaultConfig, "the configuration `FILE`")
					asJSON := fs.Bool("json", false, "print the result as one JSON object")
					return func(_ context.Context, env cli.Env, _ []string) error {
						return maintenanceStatus(env, *path, *asJSON)
					}
				},
			},
		},
	}
}

// maintenanceChange is start or end.
func maintenanceChange(start bool, name, summary, detail string) cli.Command {
	return cli.Command{
		Name: name, Summary: summary,
		Detail: detail + "\nAn agent that runs takes the request within a second, another one when it starts.",
		Setup: func(fs *flag.FlagSet) cli.Run {
			path := fs.String("config", defaultConfig, "the configuration `FILE`")
			who := fs.String("who", "", "`NAME` of who wants it; by default the user's")
			why := fs.String("why", "", "the reason, in a few `WORDS`")
			lasts := new(time.Duration)
			if start {
				fs.DurationVar(lasts, "for", 0, "end by itself after this `TIME`, 30m say")
			}
			return func(_ context.Context, env cli.Env, _ []string) error {
				return changeMaintenance(env, *path, agent.MaintenanceRequest{
					Start: start, Who: cmp.Or(*who, os.Getenv("SUDO_USER"), os.Getenv("USER"), os.Getenv("LOGNAME")),
					Why: *why, Seconds: lasts.Seconds(),
				})
			}
		},
	}
}

func changeMaintenance(env cli.Env, path string, r agent.MaintenanceRequest) error {
	c, err := loadConfig(path)
	if err != nil {
		return err
	}
	switch {
	case r.Who == "":
		return cli.WithHint(cli.Usagef("nobody wants it"), "--who names the person")
	case r.Start && r.Why == "":
		return cli.WithHint(cli.Usagef("no reason"), `--why says it: --why "new bearing"`)
	case r.Seconds < 0:
		return cli.Usagef("--for %gs, want more than 0", r.Seconds)
	}
	r.Time = time.Now().UTC()
	if err := agent.RequestMaintenance(c.Device.State, r); err != nil {
		return permissionHint(fmt.Errorf("device.state: %w", err))
	}
	what := "end"
	if r.Start {
		what = "start"
	}
	_, err = fmt.Fprintf(env.Stdout, "asked the agent to %s the maintenance of %s\n", what, c.Device.ID)
	return err
}

func maintenanceStatus(env cli.Env, path string, asJSON bool) error {
	c, err := loadConfig(path)
	if err != nil {
		return err
	}
	m, err := agent.ReadMaintenance(c.Device.State)
	if err != nil {
		return permissionHint(err)
	}
	switch {
	case asJSON:
		return cli.PrintJSON(env.Stdout, m)
	case m.Active:
		_, err = fmt.Fprintf(env.Stdout, "in maintenance since %s, until %s: %s (%s), %d samples\n",
			m.Since.Format(time.RFC3339), m.Until.Format(time.RFC3339), m.Why, m.Who, m.Samples)
	default:
		_, err = fmt.Fprintln(env.Stdout, "not in maintenance")
	}
	return err
}
