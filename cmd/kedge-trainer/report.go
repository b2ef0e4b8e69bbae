package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"kedge/cmd/internal/cli"
	"kedge/quant/eval"
	"kedge/quant/report"
)

func reportCommand() cli.Command {
	return cli.Command{
		Name: "report", Args: "FLOAT QUANTIZED", Summary: "explain, layer by layer, what quantization cost",
		Detail: `
FLOAT is the float model, ONNX or .tflite, QUANTIZED the .tflite that was made of it. DIR receives
report.html, a page for any browser that needs nothing else, and report.json with the same fields:
size, accuracy, ranges, clipping and the signal-to-quantization-noise ratio of every layer, why the
worst ones lose, and estimated instructions on devices.
Keeping every layer in float once takes as many runs as there are layers, on --sensitivity samples.
` + samplesDetail,
		Setup: func(fs *flag.FlagSet) cli.Run {
			r := &reporting{}
			r.samples.flags(fs)
			r.samples.classFlags(fs)
			samples := fs.String("data", "", "`PATH` of the samples, and their classes if there are")
			fs.StringVar(&r.dir, "output", "", "folder `DIR` to write to, made if absent")
			fs.IntVar(&r.sensitivity, "sensitivity", 32, "`N` samples to try single layers in float on, 0 for none")
			asJSON := fs.Bool("json", false, "print one JSON object, that of report.json")
			return func(ctx context.Context, env cli.Env, args []string) error {
				if *samples == "" {
					return missing("data")
				}
				if r.dir == "" {
					return missing("output")
				}
				if r.sensitivity < 0 {
					return usage("give a number of samples, 0 for none", "flag --sensitivity: %d", r.sensitivity)
				}
				return r.run(ctx, env, args[0], args[1], *samples, *asJSON)
			}
		},
	}
}

// reporting is one report on its way to a folder.
type reporting struct {
	dir         string
	sensitivity int
	samples     sampleFlags
}

func (r *reporting) run(ctx context.Context, env cli.Env, float, quantized, samples string, asJSON bool) error {
	n, err := readNetwork(float)
	if err != nil {
		return err
	}
	if err := n.refuseInteger(); err != nil {
		return err
	}
	g, _, err := n.simplify()
	if err != nil {
		return err
	}
	file, err := cli.ReadFile(quantized)
	if err != nil {
		return err
	}
	if _, err := eval.Device(file); err != nil {
		return importError(quantized, err)
	}
	reference, err := eval.Float(g)
	if err != nil {
		return importError(float, err)
	}
	s, err := r.samples.read(samples, reference.Inputs(), n.perms)
	if err != nil {
		return err
	}
	made, err := r.make(ctx, newProgress(env.Stderr), report.Source{
		FloatName: filepath.Base(float), IntegerName: filepath.Base(quantized), DataName: filepath.Base(samples),
		Float: g, FloatFile: n.file, IntegerFile: file, Set: s.Set, Labels: s.labels,
	})
	if err != nil {
		return evalError(float+" and "+quantized, samples, err)
	}
	if err := made.write(r.dir); err != nil {
		return err
	}
	if asJSON {
		_, err = env.Stdout.Write(made.json)
		return err
	}
	return made.print(env.Stdout, r.dir)
}

// pages are a report that is ready to be written.
type pages struct {
	report     *report.Report
	html, json []byte
}

// make measures, and renders before anything is written.
func (r *reporting) make(ctx context.Context, p *progress, s report.Source) (*pages, error) {
	o := report.Options{SensitivitySamples: r.sensitivity, Progress: p.step}
	if r.sensitivity == 0 {
		o.SensitivitySamples = -1
	}
	made, err := report.Make(ctx, s, o)
	p.end()
	if err != nil {
		return nil, err
	}
	var html, json bytes.Buffer
	if err := errors.Join(made.WriteHTML(&html), made.WriteJSON(&json)); err != nil {
		return nil, err
	}
	return &pages{made, html.Bytes(), json.Bytes()}, nil
}

// write puts both files into a folder, each whole or not at all.
func (p *pages) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cli.FileError(dir, err)
	}
	if err := writeBytes(filepath.Join(dir, "report.json"), p.json); err != nil {
		return err
	}
	return writeBytes(filepath.Join(dir, "report.html"), p.html)
}

// print is what a person reads at the terminal.
func (p *pages) print(w io.Writer, dir string) error {
	r := p.report
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d bytes, %s: %d bytes\n", r.Before.Name, r.Before.Bytes, r.After.Name, r.After.Bytes)
	fmt.Fprintf(&b, "on %s: %s\n", counted(r.Samples, "sample"), scoreText(r.LogitSQNR, r.Agreement))
	for _, l := range r.Losses {
		layer := &r.Layers[l.Layer]
		fmt.Fprintf(&b, "layer %d, %s: %s Cause: %s.\n", l.Layer+1, layer.Operator, l.Reason, l.Causes[0].Kind)
	}
	fmt.Fprintf(&b, "%s\n", filepath.Join(dir, "report.html"))
	_, err := io.WriteString(w, b.String())
	return err
}

// explain makes the report of a network that was just quantized, for --report.
func (q *quantize) explain(ctx context.Context, n *network, c *calibrated, m *made) (*pages, error) {
	if q.reportDir == "" {
		return nil, nil
	}
	r := &reporting{dir: q.reportDir, sensitivity: 32}
	made, err := r.make(ctx, q.progress, report.Source{
		FloatName: filepath.Base(n.path), IntegerName: filepath.Base(q.output), DataName: filepath.Base(q.calibration),
		Float: c.graph, FloatFile: n.file, IntegerFile: m.file, Set: c.set, Labels: c.labels,
		Statistics: c.statistics, Notes: append([]string{"quantized by " + m.by}, q.report.Warnings...),
	})
	if err != nil {
		return nil, evalError(n.path, q.calibration, err)
	}
	return made, nil
}
