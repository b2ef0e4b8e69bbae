package main

import (
	"archive/zip"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"kedge/cmd/internal/cli"
	"kedge/quant/emit"
	"kedge/quant/graph"
	"kedge/quant/prune"
)

func pruneCommand() cli.Command {
	return cli.Command{
		Name: "prune", Args: "MODEL", Summary: "take weights out of a float ONNX or .tflite model",
		Detail: `
--sparsity is the share of the weights that become 0. --method says which:
  global     the smallest of all layers together, each beside the rest of its layer
  magnitude  the smallest of each layer, the same share of each
  nm         all but N of every M neighbors along the input channels (--pattern, no --sparsity)
  block      blocks of 16 neighbors along the input channels, those of the smallest mean
  channel    whole output channels, a share of every layer's: the model gets smaller and faster
             on every device, where zeros only make a file that compresses well
All layers are pruned, the first and the last too, but for those that --exclude names, as the
table that is printed names them. nm and block leave DEPTHWISE_CONV_2D alone. Biases stay.
Much beyond half of the weights a model has to be trained on with its zeros held, or it answers
badly. Weights that are 0 stay 0 in kedge-trainer quantize.
The size when compressed is what the model takes in a bundle.
Nothing is written unless everything has succeeded.`,
		Setup: setupPrune,
	}
}

// pruning is one run of the command.
type pruning struct {
	options prune.Options
	emit    emit.Options
	output  string
	asJSON  bool
}

func setupPrune(fs *flag.FlagSet) cli.Run {
	p := &pruning{}
	method, pattern, exclude := "", "", ""
	fs.StringVar(&p.output, "output", "", "`FILE` to write, a float .tflite file")
	fs.Float64Var(&p.options.Sparsity, "sparsity", 0.5, "`SHARE` of the weights, or channels, to take out; less than 1")
	fs.StringVar(&method, "method", string(prune.Global), "`METHOD` that chooses them")
	fs.StringVar(&pattern, "pattern", "2:4", "with --method nm: `N:M`")
	fs.StringVar(&exclude, "exclude", "", "`NAME,...` of layers that stay as they are")
	fs.BoolVar(&p.emit.Sparse, "sparse", false, "write weights in TFLite's sparse encoding where that makes the file smaller")
	fs.BoolVar(&p.asJSON, "json", false, "print one JSON object")
	return func(_ context.Context, env cli.Env, args []string) error {
		given := make(map[string]bool)
		fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
		p.options.Method = prune.Method(method)
		if exclude != "" {
			p.options.Exclude = strings.Split(exclude, ",")
		}
		if err := p.check(pattern, given); err != nil {
			return err
		}
		if err := checkOutput(p.output, args[0]); err != nil {
			return err
		}
		return p.run(env, args[0])
	}
}

// check reads the flags that depend on each other.
func (p *pruning) check(pattern string, given map[string]bool) error {
	byPattern := p.options.Method == prune.NM
	switch {
	case byPattern && given["sparsity"]:
		return usage("leave --sparsity out, or choose another --method", "flag --sparsity: --method nm has its --pattern instead")
	case !byPattern && given["pattern"]:
		return usage("give --method nm", "flag --pattern: --method %s has none", p.options.Method)
	case !byPattern:
		return nil
	}
	var err error
	if p.options.Pattern, err = prune.ParsePattern(pattern); err != nil {
		return usage("give --pattern for example 2:4", "flag --pattern: %w", err)
	}
	return nil
}

func (p *pruning) run(env cli.Env, path string) error {
	n, err := readNetwork(path)
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
	pruned, _, err := prune.Prune(g, p.options)
	if err != nil {
		return pruneError(path, err)
	}
	file, err := emit.ModelWith(pruned, p.emit)
	if err != nil {
		return importError(path, err)
	}
	packed, err := packedSize(file)
	if err != nil {
		return err
	}
	if err := writeBytes(p.output, file); err != nil {
		return err
	}
	r := pruneReport{Model: path, Format: n.form, Bytes: len(n.file), Method: p.options.Method, Output: p.output, OutputBytes: len(file), PackedBytes: packed}
	r.describe(g, pruned)
	return r.show(env, p.asJSON)
}

func pruneError(path string, err error) error {
	switch {
	case errors.Is(err, prune.ErrOptions):
		return cli.WithHint(cli.Usagef("%s: %w", path, err), "--help shows methods and what they take; without --exclude the names of the layers are printed")
	case errors.Is(err, prune.ErrNothing):
		return cli.WithHint(fmt.Errorf("%s: %w", path, err), "give a float model with convolutions or dense layers, and choose another --method or exclude less")
	}
	return importError(path, err)
}

// packedSize is what file takes in a bundle, which is a zip archive.
func packedSize(file []byte) (int, error) {
	w := zip.NewWriter(io.Discard)
	header := &zip.FileHeader{Name: "model.tflite", Method: zip.Deflate}
	f, err := w.CreateHeader(header)
	if err != nil {
		return 0, err
	}
	if _, err := f.Write(file); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	return int(header.CompressedSize64), nil
}

// pruneReport is what prune prints.
type pruneReport struct {
	Model       string        `json:"model"`
	Format      form          `json:"format"`
	Bytes       int           `json:"bytes"`
	Method      prune.Method  `json:"method"`
	Layers      []prunedLayer `json:"layers"`
	Before      sizeReport    `json:"before"` // of the simplified network
	After       sizeReport    `json:"after"`
	Zeros       int64         `json:"zero_weights"`
	Output      string        `json:"output"`
	OutputBytes int           `json:"output_bytes"`
	PackedBytes int           `json:"output_bytes_compressed"` // by Deflate, as in a bundle
}

// prunedLayer is a layer of the result.
type prunedLayer struct {
	Name     string `json:"name"`
	Operator string `json:"operator"`
	Weights  int    `json:"weights"`
	Zeros    int    `json:"zero_weights"`
}

func (r *pruneReport) describe(before, after *graph.Graph) {
	for _, side := range []struct {
		g  *graph.Graph
		to *sizeReport
	}{{before, &r.Before}, {after, &r.After}} {
		cost, _ := side.g.Cost()
		*side.to = sizeReport{len(side.g.Nodes), cost.Weights, cost.MACs}
	}
	for _, l := range prune.Layers(after) {
		r.Layers = append(r.Layers, prunedLayer{l.Name, l.Op, l.Count, l.Zeros})
		r.Zeros += int64(l.Zeros)
	}
}

func (r *pruneReport) show(env cli.Env, asJSON bool) error {
	if asJSON {
		return cli.PrintJSON(env.Stdout, r)
	}
	name, op := len("layer"), len("operator")
	for _, l := range r.Layers {
		name, op = max(name, len(l.Name)), max(op, len(l.Operator))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d bytes\n", r.Model, r.Format, r.Bytes)
	fmt.Fprintf(&b, "%-*s  %-*s  %9s  %9s  %7s\n", name, "layer", op, "operator", "weights", "zero", "share")
	for _, l := range r.Layers {
		fmt.Fprintf(&b, "%-*s  %-*s  %9d  %9d  %5.1f %%\n", name, l.Name, op, l.Operator, l.Weights, l.Zeros, 100*float64(l.Zeros)/float64(l.Weights))
	}
	fmt.Fprintf(&b, "network: %s, %d of them 0", counted(r.After.Weights, "weight"), r.Zeros)
	fmt.Fprintf(&b, "%s\n", difference(r.Before, r.After))
	fmt.Fprintf(&b, "%s: float, %d bytes, %d compressed\n", r.Output, r.OutputBytes, r.PackedBytes)
	_, err := io.WriteString(env.Stdout, b.String())
	return err
}
