package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"

	"kedge/cmd/internal/cli"
	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime"
)

func quantizeCommand() cli.Command {
	return cli.Command{
		Name: "quantize", Args: "MODEL", Summary: "make an int8 .tflite of a float ONNX or .tflite model",
		Detail: `
Samples are given as the float model takes them: some hundred inputs as they will occur, of every
kind. Arrays of images may have their channels first or last. A model with several inputs takes
arrays x0, x1 and so on of an .npz file.
--method is how the range of every activation is found: minmax, percentile[:P], mse, entropy,
moving-average[:DECAY], or auto, which tries them all, with and without correcting biases, takes the
one whose results on the samples come nearest to the float model's, and then lets single
activations take another method's range where that helps on both halves of the samples.
--min-sqnr has auto give the most sensitive layers int16 activations or float32, one after
another, until the results are that near.
A multiplication on int16 activations counts as two for --max-macs, one on float32 as four.
The results are measured as a device computes them. SQNR is the signal-to-quantization-noise ratio
of what goes into the final SOFTMAX (or LOGISTIC), of the output where there is none.
Nothing is written unless everything has succeeded.
` + samplesDetail,
		Setup: setupQuantize,
	}
}

// quantize is one run of the command.
type quantize struct {
	calibration string
	samples     sampleFlags
	output      string
	method      string
	activations string
	perTensor   bool
	floatIO     bool
	like        string
	labels      string
	sparse      bool
	equalize    bool
	reportDir   string
	asJSON      bool
	minSQNR     float64
	maxBytes    int
	maxMACs     int64

	env      cli.Env
	progress *progress
	options  ptq.Options
	report   quantizeReport
}

func setupQuantize(fs *flag.FlagSet) cli.Run {
	q := &quantize{}
	fs.StringVar(&q.calibration, "calibration", "", "`PATH` of the samples")
	q.samples.flags(fs)
	fs.StringVar(&q.output, "output", "", "`FILE` to write, a .tflite file")
	fs.StringVar(&q.method, "method", methodAuto, "`METHOD` that finds the activations' ranges")
	fs.StringVar(&q.activations, "activations", "int8", "`TYPE` of activations: int8 or int16")
	fs.BoolVar(&q.perTensor, "per-tensor", false, "give FULLY_CONNECTED weights one scale, for runtimes that know no more")
	fs.BoolVar(&q.floatIO, "float-io", false, "leave inputs and outputs float32")
	fs.StringVar(&q.like, "like", "", "take the activations' parameters from `FILE`, an int8 .tflite of the same network")
	fs.StringVar(&q.labels, "labels", "", "`FILE` with the classes' names, one a line, to be put into the model")
	fs.Float64Var(&q.minSQNR, "min-sqnr", 0, "logit SQNR to reach on the samples, in `DECIBELS`")
	fs.IntVar(&q.maxBytes, "max-bytes", 0, "`SIZE` that the file may not exceed")
	fs.Int64Var(&q.maxMACs, "max-macs", 0, "`COST` of one run that --min-sqnr may not exceed, in multiplications on int8")
	fs.BoolVar(&q.equalize, "equalize", false, "scale channels between layers first, where their weights then fit one scale better; for --per-tensor")
	fs.BoolVar(&q.sparse, "sparse", false, "write weights in TFLite's sparse encoding where that makes the file smaller")
	fs.StringVar(&q.reportDir, "report", "", "folder `DIR` for a report on what quantization cost, see kedge-trainer report")
	fs.BoolVar(&q.asJSON, "json", false, "print one JSON object")
	return func(ctx context.Context, env cli.Env, args []string) error {
		q.env, q.progress = env, newProgress(env.Stderr)
		if err := q.check(args[0]); err != nil {
			return err
		}
		err := q.run(ctx, args[0])
		q.progress.end()
		return err
	}
}

// check reads the flags.
func (q *quantize) check(model string) error {
	if q.calibration == "" && q.like == "" {
		return missing("calibration")
	}
	if q.calibration == "" && q.reportDir != "" {
		return usage("give --calibration samples to measure on", "flag --report: there are no samples")
	}
	if err := checkOutput(q.output, model, q.calibration, q.like, q.labels); err != nil {
		return err
	}
	if q.equalize && q.like != "" {
		return usage("leave one of them out", "flags --equalize and --like: parameters of another file do not fit scaled activations")
	}
	if q.maxBytes < 0 || q.maxMACs < 0 || !(q.minSQNR >= 0) || math.IsInf(q.minSQNR, 0) {
		return usage("give numbers of at least 0", "flags --max-bytes, --max-macs and --min-sqnr: %d, %d and %v", q.maxBytes, q.maxMACs, q.minSQNR)
	}
	if q.method != methodAuto && q.minSQNR > 0 {
		return usage("give --method auto", "flag --min-sqnr asks for a search, --method %s for none", q.method)
	}
	if _, err := parseMethod(q.method); err != nil {
		return usage("give --method auto, minmax, percentile, mse, entropy or moving-average", "flag --method: %w", err)
	}
	switch q.activations {
	case "int8":
		q.options.Activations = runtime.Int8
	case "int16":
		q.options.Activations = runtime.Int16
	default:
		return usage("give --activations int8 or int16", "flag --activations: %q", q.activations)
	}
	q.options.PerTensor = q.perTensor
	q.options.FloatInput, q.options.FloatOutput = q.floatIO, q.floatIO
	return nil
}

func (q *quantize) run(ctx context.Context, path string) error {
	n, err := readNetwork(path)
	if err != nil {
		return err
	}
	if err := n.refuseInteger(); err != nil {
		return err
	}
	g, changes, err := n.simplify()
	if err != nil {
		return err
	}
	if q.equalize {
		g, q.report.Equalized = ptq.Equalize(g, q.options)
	}
	if err := q.readLike(g); err != nil {
		return err
	}
	metadata, err := q.metadata(g)
	if err != nil {
		return err
	}
	c := &calibrated{graph: g, emit: emit.Options{Metadata: metadata, Sparse: q.sparse}, options: q.options}
	if err := q.calibrate(ctx, n, c); err != nil {
		return err
	}
	made, err := q.choose(ctx, path, c)
	if err != nil {
		return err
	}
	explained, err := q.explain(ctx, n, c, made)
	if err != nil {
		return err
	}
	if err := writeBytes(q.output, made.file); err != nil {
		return err
	}
	if explained != nil {
		if err := explained.write(q.reportDir); err != nil {
			return err
		}
	}
	q.report.describe(n, n.prepare(g, changes), q.output, made)
	q.progress.end()
	return q.report.show(q.env, q.asJSON)
}

// refuseInteger says so when there is nothing left to quantize.
func (n *network) refuseInteger() error {
	if n.form != formTFLite {
		return nil
	}
	if r, _ := runtime.Inspect(n.file, runtime.Options{}); r == nil || !eval.IsInteger(r) {
		return nil
	}
	return cli.WithHint(fmt.Errorf("%s: is quantized already", n.path), "give the float model that it was made from")
}

// readLike takes activation parameters from another file.
func (q *quantize) readLike(g *graph.Graph) error {
	if q.like == "" {
		return nil
	}
	other, err := readNetwork(q.like)
	if err != nil {
		return err
	}
	if q.options.Given, err = ptq.Like(g, other.graph); err != nil {
		return cli.WithHint(fmt.Errorf("%s: %w", q.like, err), "give --like an int8 .tflite of the same network, with the same tensor names")
	}
	return nil
}

// metadata names the classes of the first output; nil without --labels.
func (q *quantize) metadata(g *graph.Graph) (*emit.Metadata, error) {
	if q.labels == "" {
		return nil, nil
	}
	file, err := cli.ReadFileMax(q.labels, cli.MaxDocument)
	if err != nil {
		return nil, err
	}
	outputs := make([]emit.TensorMetadata, len(g.Outputs))
	for _, line := range lines(file) {
		outputs[0].Labels = append(outputs[0].Labels, line.text)
	}
	shape := g.Tensor(g.Outputs[0]).Shape
	if want := shape[len(shape)-1]; len(outputs[0].Labels) != want {
		return nil, cli.WithHint(fmt.Errorf("%s: %s for an output of %d", q.labels, counted(len(outputs[0].Labels), "label"), want),
			"give the classes' names in the output's order, one a line")
	}
	return &emit.Metadata{Outputs: outputs}, nil
}

// calibrate runs the samples through the float network.
func (q *quantize) calibrate(ctx context.Context, n *network, c *calibrated) error {
	if q.calibration == "" {
		return nil
	}
	reference, err := eval.Float(c.graph)
	if err != nil {
		return importError(n.path, err)
	}
	// Classes are for the report alone; they are numbered as the model's labels.
	q.samples.options.Unlabeled, q.samples.labels = q.reportDir == "", q.labels
	read, err := q.samples.read(q.calibration, reference.Inputs(), n.perms)
	if err != nil {
		return err
	}
	c.set, c.labels = read.Set, read.labels
	c.statistics, err = calib.Collect(ctx, c.graph, c.set.Values(), calib.Options{Progress: q.progress.step("calibrating")})
	if err != nil {
		if errors.Is(err, calib.ErrSamples) {
			err = fmt.Errorf("%s: %w", q.calibration, err)
		}
		return err
	}
	if c.recording, err = eval.Record(ctx, reference, c.set, eval.Options{Progress: q.progress.step("running the float model")}); err != nil {
		return err
	}
	q.progress.end()
	q.report.Calibration = &calibrationReport{q.calibration, c.set.Count, c.set.Windows, append([]string{}, c.set.Notes...)}
	q.warn(c)
	return nil
}

// warn says at once what is doubtful: there may be long work ahead.
func (q *quantize) warn(c *calibrated) {
	all := c.statistics.Warnings()
	for i, id := range c.graph.Inputs {
		if known, ok := q.knownRange(c.graph, id); ok {
			if w, bad := c.statistics.CompareRange(i, known); bad {
				all = append(all, w)
			}
		}
	}
	for _, w := range all {
		q.report.Warnings = append(q.report.Warnings, w.Text)
		fmt.Fprintf(q.env.Stderr, "kedge-trainer: warning: %s: %s\n", q.calibration, w.Text)
	}
}

// knownRange is what an input takes by the parameters that it has already.
func (q *quantize) knownRange(g *graph.Graph, id graph.TensorID) (calib.Range, bool) {
	p, ok := q.options.Given[id]
	if !ok {
		p = g.Tensor(id).Quant
	}
	if len(p.Scales) != 1 {
		return calib.Range{}, false
	}
	zero := p.ZeroPoint()
	return calib.Range{Min: p.Scale() * float32(-128-zero), Max: p.Scale() * float32(127-zero)}, true
}
