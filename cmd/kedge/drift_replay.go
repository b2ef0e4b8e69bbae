package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"kedge/agent/drift"
	"kedge/agent/drift/replay"
	"kedge/cmd/internal/cli"
)

func driftReplayCommand() cli.Command {
	return cli.Command{
		Name: "replay", Args: "FILE", Summary: "run drift detectors over a recorded signal",
		Detail: `
FILE is a CSV file, plain or gzipped, with a header or without. One column is watched: x, or else
the first that holds numbers. Printed are the rows of the alarms, counted from 0.
Without --detector the pair runs that a device runs, page-hinkley and e-sr, with the false alarms
that you allow: --false-alarms with --rate, or --arl. What is normal is learned from --reference,
or else from the first 500 samples. It looks for a falling signal; --complement turns a rising one
round, --sides both looks for either. docs/drift.md says how to choose.
With --inputs all columns of numbers are watched as what the model sees, against the first
--reference-rows rows; printed are the rows where one of them moved that had not, and which have.

detectors and their parameters:
` + detectorList(),
		Setup: setupDriftReplay,
	}
}

// detectorList is the table of detectors for --help.
func detectorList() string {
	var b strings.Builder
	for _, k := range drift.Kinds() {
		fmt.Fprintf(&b, "  %s\n", strings.Join(append([]string{k.Name}, k.Aliases...), ", "))
		for _, p := range k.Params {
			fmt.Fprintf(&b, "    %-18s %s", p.Name, p.Text)
			for _, note := range []string{strings.Join(p.Words, " or "), p.Range} {
				if note != "" {
					b.WriteString("; " + note)
				}
			}
			if p.Default != "" {
				b.WriteString("; default " + p.Default)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// driftReplay is one run of the command.
type driftReplay struct {
	options     replay.Options
	falseAlarms string
	rate        string
	devices     int
	reference   string
	trace, plot string
	inputs      bool
	exclude     string
}

func setupDriftReplay(fs *flag.FlagSet) cli.Run {
	c := &driftReplay{options: replay.Options{Params: make(map[string]string)}}
	o := &c.options
	fs.StringVar(&o.Detector, "detector", "", "`NAME` of the detector; the pair that a device runs where it is left out")
	fs.Func("param", "a parameter of the detector, `KEY=VALUE`; may be given several times", c.param)
	fs.StringVar(&c.falseAlarms, "false-alarms", "", "`COUNT/TIME` of false alarms that you allow, such as 1/30d; units s, m, h, d, w")
	fs.StringVar(&c.rate, "rate", "", "`COUNT/TIME` of samples from a device, such as 10/s, for --false-alarms")
	fs.IntVar(&c.devices, "devices", 1, "`N` devices that have those false alarms together")
	fs.Float64Var(&o.ARL, "arl", 0, "`SAMPLES` between false alarms, instead of --false-alarms (10000 where both are left out)")
	fs.Func("sides", "`SIDES` on which the pair looks for a change: down, up or both (down where it is left out)", func(s string) (err error) {
		o.Sides, err = drift.ParseSide(s)
		return err
	})
	fs.StringVar(&c.reference, "reference", "", "`FILE` with the signal as it was when all was well, a CSV of the same form")
	fs.Int64Var(&o.ReferenceRows, "reference-rows", 0, "`N` rows of FILE, from the first on, that are the reference and are not watched")
	fs.BoolVar(&c.inputs, "inputs", false, "watch every column of numbers as an input of the model instead of one signal")
	fs.StringVar(&c.exclude, "exclude", "", "`NAMES`, separated by commas, of columns that --inputs leaves out beside class, label and target")
	fs.StringVar(&o.Column, "column", "", "`NAME` or number, from 1, of the column to watch")
	fs.StringVar(&o.Context, "context", "", "`NAME` or number of a column, such as the hour, whose every value has its own place in the reference")
	fs.BoolVar(&o.Complement, "complement", false, "watch 1 - x instead of x")
	fs.StringVar(&c.trace, "trace", "", "`FILE` to write x and the statistics after every row to, as CSV")
	fs.StringVar(&c.plot, "plot", "", "`FILE` to draw signal, statistics, threshold and alarms to, as SVG")
	return func(ctx context.Context, env cli.Env, args []string) error {
		return c.run(ctx, env, args[0])
	}
}

// param takes one KEY=VALUE.
func (c *driftReplay) param(s string) error {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return errors.New("want KEY=VALUE")
	}
	if _, twice := c.options.Params[key]; twice {
		return fmt.Errorf("%s is given twice", key)
	}
	c.options.Params[key] = value
	return nil
}

func (c *driftReplay) run(ctx context.Context, env cli.Env, path string) error {
	if err := cmp.Or(c.promise(), c.checkInputs(), c.checkPaths(path)); err != nil {
		return err
	}
	signal, err := os.Open(path)
	if err != nil {
		return cli.FileError(path, err)
	}
	defer signal.Close()
	// A pipe may give nothing for ever; closing it ends the wait.
	defer context.AfterFunc(ctx, func() { signal.Close() })()
	if c.inputs {
		return c.runInputs(ctx, env, signal, path)
	}
	if c.reference != "" {
		reference, err := os.Open(c.reference)
		if err != nil {
			return cli.FileError(c.reference, err)
		}
		defer reference.Close()
		defer context.AfterFunc(ctx, func() { reference.Close() })()
		c.options.Reference = reference
	}
	result, err := c.write(signal, path)
	switch {
	case ctx.Err() != nil && err != nil:
		return errors.New("drift replay: interrupted")
	case err != nil:
		return c.explain(path, err)
	}
	for _, note := range notes(result) {
		fmt.Fprintf(env.Stderr, "%s: %s\n", path, note)
	}
	out := json.NewEncoder(env.Stdout) // in one line, however many alarms
	out.SetEscapeHTML(false)
	return out.Encode(result)
}

// promise turns the sentence about false alarms into a run length.
func (c *driftReplay) promise() error {
	o := &c.options
	switch {
	case c.falseAlarms == "" && (c.rate != "" || c.devices != 1):
		return cli.WithHint(cli.Usagef("drift replay: --rate and --devices belong to --false-alarms"), "--false-alarms 1/30d --rate 10/s")
	case c.falseAlarms == "":
		if o.ARL < 0 {
			return cli.WithHint(cli.Usagef("drift replay: flag --arl: got %v, want at least 100", o.ARL), "a number of samples, such as 10000")
		}
		return nil
	case o.ARL != 0:
		return cli.WithHint(cli.Usagef("drift replay: --false-alarms and --arl say the same twice"), "leave out one of them")
	case c.rate == "":
		return cli.WithHint(cli.Usagef("drift replay: --false-alarms needs --rate"), "how many samples a device takes, such as --rate 10/s")
	}
	var err error
	if o.ARL, err = drift.PromisedRunLength(c.falseAlarms, c.rate, c.devices); err != nil {
		return cli.WithHint(cli.Usagef("drift replay: %w", err), "--false-alarms 1/30d --rate 10/s")
	}
	return nil
}

// checkPaths refuses a command line that would overwrite what it reads, or one
// result with the other.
func (c *driftReplay) checkPaths(signal string) error {
	for _, p := range []struct{ flag, path, otherFlag, other string }{
		{"trace", c.trace, "FILE", signal}, {"plot", c.plot, "FILE", signal}, {"plot", c.plot, "--trace", c.trace},
		{"trace", c.trace, "--reference", c.reference}, {"plot", c.plot, "--reference", c.reference},
	} {
		if p.path != "" && p.other != "" && sameFile(p.path, p.other) {
			return cli.WithHint(cli.Usagef("drift replay: flag --%s: %s is the same file as %s", p.flag, p.path, p.otherFlag), "give it a file of its own")
		}
	}
	return nil
}

// write replays, and writes the files that are wanted: all of them or none.
func (c *driftReplay) write(signal io.Reader, path string) (result replay.Result, err error) {
	chart := new(replay.Chart)
	if c.plot != "" {
		c.options.Chart = chart
	}
	run := func() error {
		if result, err = replay.Run(signal, c.options); err != nil || c.plot == "" {
			return err
		}
		return cli.WriteFile(c.plot, func(w io.Writer) error {
			return chart.WriteSVG(w, filepath.Base(path)+": "+result.Detector)
		})
	}
	if c.trace == "" {
		return result, run()
	}
	err = cli.WriteFile(c.trace, func(w io.Writer) error {
		c.options.Trace = w
		return run()
	})
	return result, err
}

// explain names the file, and what to do.
func (c *driftReplay) explain(path string, err error) error {
	switch {
	case errors.Is(err, drift.ErrUnknownDetector), errors.Is(err, drift.ErrParameter), errors.Is(err, replay.ErrOptions):
		return cli.WithHint(cli.Usagef("drift replay: %w", err), "kedge drift replay --help lists detectors and parameters")
	}
	if ref, ok := errors.AsType[*replay.ReferenceError](err); ok {
		path, err = c.reference, ref.Err
	}
	err = cli.FileError(path, err)
	switch {
	case errors.Is(err, replay.ErrColumn):
		return cli.WithHint(err, "--column and --context take a name of the header or a number, from 1")
	case errors.Is(err, replay.ErrContexts):
		return cli.WithHint(err, "a context is something like the hour of the day or the product")
	case errors.Is(err, replay.ErrTable):
		return cli.WithHint(err, "a CSV file, plain or gzipped, with numbers in the column that is watched; empty cells are skipped")
	case errors.Is(err, replay.ErrEmpty):
		return cli.WithHint(err, "record more")
	}
	return err
}

// notes are what a person should know beside the result.
func notes(r replay.Result) []string {
	var all []string
	if r.Skipped > 0 {
		all = append(all, fmt.Sprintf("%d of %d rows have no number in %s and were skipped", r.Skipped, r.Rows, r.Column))
	}
	for _, m := range r.Monitors {
		in := ""
		if m.Context != "" {
			in = "context " + m.Context + ": "
		}
		switch {
		case m.State == drift.Learning:
			all = append(all, fmt.Sprintf("%sstill learning what is normal after %d samples of %d; --reference gives it", in, m.Learned, drift.FullReference))
		case m.Learned > 0:
			all = append(all, fmt.Sprintf("%swhat is normal was learned from the first %d samples", in, m.Learned))
		case m.Weak:
			all = append(all, fmt.Sprintf("%sthe reference is weak: %d samples, better %d; thresholds are wider for it", in, m.ReferenceN, drift.FullReference))
		}
	}
	return all
}
