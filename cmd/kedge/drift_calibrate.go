package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"kedge/agent/drift"
	"kedge/agent/drift/replay"
	"kedge/cmd/internal/cli"
)

func driftCalibrateCommand() cli.Command {
	return cli.Command{
		Name: "calibrate", Args: "REFERENCE", Summary: "say what thresholds a reference gives and how soon drops are found",
		Detail: `
REFERENCE is a CSV file, plain or gzipped, with the signal as it was when all was well. Printed
are the thresholds of the pair that a device runs, page-hinkley and e-sr, how long they run
between false alarms, and the samples it takes to find drops of 1, 3 and 10 points.
`,
		Setup: setupDriftCalibrate,
	}
}

// forecastDrops are the losses of the mean whose delay is printed.
var forecastDrops = []float64{0.01, 0.03, 0.10}

// driftCalibrate is one run of the command.
type driftCalibrate struct {
	falseAlarms, rate string
	devices           int
	arl               float64
	column, context   string
	complement, json  bool
}

func setupDriftCalibrate(fs *flag.FlagSet) cli.Run {
	c := &driftCalibrate{}
	fs.StringVar(&c.falseAlarms, "false-alarms", "", "`COUNT/TIME` of false alarms that you allow, such as 1/30d; units s, m, h, d, w")
	fs.StringVar(&c.rate, "rate", "", "`COUNT/TIME` of samples from a device, such as 10/s, for --false-alarms")
	fs.IntVar(&c.devices, "devices", 1, "`N` devices that have those false alarms together")
	fs.Float64Var(&c.arl, "arl", 0, "`SAMPLES` between false alarms, instead of --false-alarms (10000 where both are left out)")
	fs.StringVar(&c.column, "column", "", "`NAME` or number, from 1, of the signal's column")
	fs.StringVar(&c.context, "context", "", "`NAME` or number of a column, such as the hour, whose every value has its own reference")
	fs.BoolVar(&c.complement, "complement", false, "take 1 - x instead of x")
	fs.BoolVar(&c.json, "json", false, "print one JSON object")
	return func(_ context.Context, env cli.Env, args []string) error { return c.run(env, args[0]) }
}

func (c *driftCalibrate) run(env cli.Env, path string) error {
	promise := driftReplay{falseAlarms: c.falseAlarms, rate: c.rate, devices: c.devices, options: replay.Options{ARL: c.arl}}
	if err := promise.promise(); err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return cli.FileError(path, err)
	}
	defer file.Close()
	ref, err := c.reference(file)
	if err != nil {
		return cli.WithHint(cli.FileError(path, err), "a CSV file, plain or gzipped, with numbers in the signal's column")
	}
	if ref.N < drift.MinReference {
		return cli.WithHint(cli.FileError(path, fmt.Errorf("%d samples, want at least %d, better %d", ref.N, drift.MinReference, drift.FullReference)), "record more; a device without a reference learns one from its first samples")
	}
	f, err := drift.NewForecast(ref, promise.options.ARL, forecastDrops)
	if errors.Is(err, drift.ErrParameter) {
		return cli.Usagef("drift calibrate: %w", err)
	} else if err != nil {
		return cli.FileError(path, err)
	}
	if c.json {
		return cli.PrintJSON(env.Stdout, f)
	}
	_, err = io.WriteString(env.Stdout, forecastText(f))
	return err
}

// reference reads the samples; cells without a number are left out.
func (c *driftCalibrate) reference(file io.Reader) (drift.Reference, error) {
	table, err := replay.Open(file)
	if err != nil {
		return drift.Reference{}, err
	}
	column, err := table.Column(c.column)
	if err != nil {
		return drift.Reference{}, err
	}
	key := -1
	if c.context != "" {
		if key, err = table.Column(c.context); err != nil {
			return drift.Reference{}, err
		}
	}
	var xs []float64
	var contexts []string
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return drift.Reference{}, err
		}
		x, err := table.Value(row, column)
		if err != nil {
			return drift.Reference{}, err
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		if c.complement {
			x = 1 - x
		}
		xs = append(xs, x)
		if key >= 0 {
			value, err := table.Cell(row, key)
			if err != nil {
				return drift.Reference{}, err
			}
			contexts = append(contexts, strings.Clone(value))
		}
	}
	if key >= 0 {
		return drift.NewContextReference(xs, contexts)
	}
	return drift.NewReference(xs)
}

// forecastText is a forecast for people.
func forecastText(f drift.Forecast) string {
	var b strings.Builder
	fmt.Fprintf(&b, "reference     %d samples, mean %.4f, known to %.4f\n", f.Samples, f.Mean, f.StdErr)
	if f.Weak {
		fmt.Fprintf(&b, "              weak: fewer than %d samples, so thresholds are wider and drops found later\n", drift.FullReference)
	}
	if f.Contexts > 0 {
		fmt.Fprintf(&b, "contexts      %d, watched together after each was moved to the same mean\n", f.Contexts)
	}
	if f.Inflation > 1 {
		fmt.Fprintf(&b, "dependence    %.1f samples tell as much as an independent one; e-sr takes means of %d\n", f.Inflation, f.Block)
	} else {
		fmt.Fprintf(&b, "dependence    none to be seen; block length %d\n", f.Block)
	}
	if f.Wander > 0 {
		fmt.Fprintf(&b, "wandering     by %.4f from block to block of the reference, which is no drift\n", f.Wander)
	}
	fmt.Fprintf(&b, "false alarms  one in %.4g samples of a device, both detectors together\n", f.ARL)
	fmt.Fprintf(&b, "page-hinkley  delta %.4f, lambda %.4f: at most one in %.4g samples, for a signal like the reference\n", f.Delta, f.Lambda, f.RunLength)
	fmt.Fprintf(&b, "e-sr          mu0 %.4f, log threshold %.3f: at most one in %.4g samples, whatever the distribution\n", f.Mu0, f.LogE, f.Promise)
	b.WriteString("\nsamples to the alarm after a drop  page-hinkley      e-sr      pair\n")
	for _, d := range f.Delays {
		fmt.Fprintf(&b, "%22.0f points      %12s %9s %9s\n", 100*d.Drop, samplesText(d.PageHinkley), samplesText(d.ESR), samplesText(d.Pair))
	}
	return b.String()
}

// samplesText is a delay; 0 stands for one that was not waited for.
func samplesText(n float64) string {
	if n == 0 {
		return ">20000"
	}
	return fmt.Sprintf("%.1f", n)
}
