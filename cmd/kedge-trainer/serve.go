package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"kedge/cmd/internal/cli"
	"kedge/trainer"
	"kedge/trainer/train"
)

func serveCommand() cli.Command {
	return cli.Command{
		Name: "serve", Summary: "serve devices: take in reports and labels, retrain, sign, assign",
		Detail: "The embedded broker listens on loopback. Beyond it --tls-cert, --tls-key and --tls-ca are required:\n" +
			"devices then show a certificate (kedge-trainer keys device) and may use their own topics only.\n" +
			"With --broker another broker is used, which has to keep sessions and messages over its restarts;\n" +
			"--tls-ca is then the authority of its certificate.\n\n" +
			"What happens is printed, one line each; --json prints JSON lines. The log goes to standard error.",
		Setup: setupServe,
	}
}

// serving is what the flags of serve say.
type serving struct {
	folder
	listen, broker  string
	cert, key, ca   string
	minLabels       int
	tolerance       time.Duration
	seed            uint64
	command, params string
	timeout         time.Duration
	asJSON, verbose bool
}

func setupServe(fs *flag.FlagSet) cli.Run {
	var s serving
	s.flags(fs)
	fs.StringVar(&s.listen, "listen", trainer.DefaultListen, "`HOST:PORT` of the embedded broker; port 0 takes a free one")
	fs.StringVar(&s.broker, "broker", "", "`URL` of a broker to use instead, mqtt://host:port or mqtts://host:port")
	fs.StringVar(&s.cert, "tls-cert", "", "certificate `FILE` of the embedded broker, or with --broker the trainer's own")
	fs.StringVar(&s.key, "tls-key", "", "its key `FILE`")
	fs.StringVar(&s.ca, "tls-ca", "", "authority `FILE` of the devices' certificates, or with --broker of the broker's")
	fs.IntVar(&s.minLabels, "min-labels", 0, "labels `N` of an alarm's samples that begin a training (default: as many samples as the device captures after it)")
	fs.DurationVar(&s.tolerance, "label-tolerance", time.Second, "how far in `TIME` a label without a sample id may be from its sample")
	fs.Uint64Var(&s.seed, "seed", 1, "decides all that is random in training")
	fs.StringVar(&s.command, "train-command", "", "training `PROGRAM` and its arguments, split at spaces, instead of the built-in trainer")
	fs.StringVar(&s.params, "train-params", "", "JSON `FILE` that the training program gets as \"user\" in its params.json")
	fs.DurationVar(&s.timeout, "train-timeout", time.Hour, "how long the training program may take")
	fs.BoolVar(&s.asJSON, "json", false, "print what happens as JSON lines")
	fs.BoolVar(&s.verbose, "verbose", false, "log details too")
	return func(ctx context.Context, env cli.Env, _ []string) error {
		o, err := s.trainerOptions(env)
		if err != nil {
			return err
		}
		return s.serve(ctx, env, o)
	}
}

func (s *serving) trainerOptions(env cli.Env) (trainer.Options, error) {
	o, err := s.options()
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return o, err
	}
	command, err := resolveCommand("train-command", s.command)
	if err != nil {
		return o, err
	}
	level := slog.LevelWarn
	if s.verbose {
		level = slog.LevelDebug
	}
	o.Log = slog.New(slog.NewTextHandler(env.Stderr, &slog.HandlerOptions{Level: level}))
	o.Listen, o.BrokerURL = s.listen, s.broker
	// Tolerance 0 of the options is their default, 0 of the flag is none.
	o.MinLabels, o.Tolerance, o.Seed = s.minLabels, max(s.tolerance, 1), s.seed
	o.Command = train.Command{Args: command, Timeout: s.timeout, Output: env.Stderr}
	if s.params != "" {
		if o.Params, err = cli.ReadFile(s.params); err != nil {
			return o, err
		}
		if !json.Valid(o.Params) {
			return o, cli.WithHint(fmt.Errorf("%s: no valid JSON", s.params), "give a JSON file with --train-params")
		}
	}
	o.Notify = func(n trainer.Notice) { s.print(env.Stdout, n) }
	return o, explain(s.tls(&o), &s.folder)
}

// tls reads the certificates for the side that the trainer is on.
func (s *serving) tls(o *trainer.Options) (err error) {
	if s.broker != "" {
		if s.ca == "" && s.cert == "" && s.key == "" {
			return nil
		}
		o.BrokerTLS, err = trainer.ClientTLS(s.ca, s.cert, s.key)
		return err
	}
	given := 0
	for _, file := range []string{s.cert, s.key, s.ca} {
		if file != "" {
			given++
		}
	}
	switch given {
	case 0:
		return nil
	case 3:
		o.ListenTLS, err = trainer.ServerTLS(s.cert, s.key, s.ca)
		return err
	}
	return usage("give all three; kedge-trainer keys server makes certificate and key, the authority is ca.crt in the folder of keys",
		"--tls-cert, --tls-key and --tls-ca belong together")
}

func (s *serving) serve(ctx context.Context, env cli.Env, o trainer.Options) error {
	warnKeys(env, append(privateKeys(s.keys), s.key)...)
	t, err := trainer.Open(ctx, o)
	if err != nil {
		return explain(err, &s.folder)
	}
	// The first line, so that a script that had a port chosen can read it.
	if s.asJSON {
		err = json.NewEncoder(env.Stdout).Encode(map[string]string{"kind": "serving", "broker": t.BrokerURL()})
	} else {
		_, err = fmt.Fprintf(env.Stdout, "serving at %s\n", t.BrokerURL())
	}
	if err == nil {
		err = t.Run(ctx)
	}
	return errors.Join(err, t.Close())
}

func (s *serving) print(w io.Writer, n trainer.Notice) {
	if s.asJSON {
		// A reader that has gone away is no reason to stop serving.
		_ = json.NewEncoder(w).Encode(n)
		return
	}
	who := n.Site
	if n.Device != "" {
		who += "/" + n.Device
	}
	fmt.Fprintf(w, "%s %-17s %s: %s\n", n.Time.UTC().Format(time.RFC3339), n.Kind, who, strings.ReplaceAll(n.Text, "\n", " | "))
}
