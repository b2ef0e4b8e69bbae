package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"kedge/cmd/internal/cli"
	"kedge/runtime"
)

func inspectCommand() cli.Command {
	return cli.Command{
		Name: "inspect", Args: "MODEL", Summary: "describe a model: operators, tensors, cost, what cannot run",
		Detail: `
A model that cannot run here is described too; its operators that are not supported are all
listed, and the exit code is 10. With --memory and --svg nothing is drawn of such a model; of one
that only --max-arena keeps from running, what it would need is.`,
		Setup: setupInspect,
	}
}

func setupInspect(fs *flag.FlagSet) cli.Run {
	model := addModelFlags(fs)
	asJSON := fs.Bool("json", false, "print one JSON object")
	asText := fs.Bool("memory", false, "draw the memory of tensors in text")
	asSVG := fs.Bool("svg", false, "draw the memory of tensors as an SVG document")
	return func(_ context.Context, env cli.Env, args []string) error {
		print, err := inspectForm(*asJSON, *asText, *asSVG)
		if err != nil {
			return err
		}
		o, err := model.options()
		if err != nil {
			return err
		}
		file, err := cli.ReadFile(args[0])
		if err != nil {
			return err
		}
		r, err := runtime.Inspect(file, o)
		if r == nil {
			return modelError(args[0], err)
		}
		printed := print(env.Stdout, args[0], r)
		if errors.Is(err, runtime.ErrUnsupported) {
			err = fmt.Errorf("%s: %w", args[0], err)
			err = cli.WithHint(cli.WithCode(err, cli.ExitUnsupported), "convert the model without those operators")
		} else {
			err = modelError(args[0], err)
		}
		return cmp.Or(printed, err)
	}
}

// inspectForm is the function that prints what was asked for.
func inspectForm(asJSON, asText, asSVG bool) (func(w io.Writer, path string, r *runtime.Report) error, error) {
	form, asked := printReport, 0
	if asJSON {
		form, asked = func(w io.Writer, _ string, r *runtime.Report) error { return cli.PrintJSON(w, r) }, asked+1
	}
	if asText {
		form, asked = drawing(printMemory), asked+1
	}
	if asSVG {
		form, asked = drawing(printSVG), asked+1
	}
	if asked > 1 {
		return nil, cli.WithHint(cli.Usagef("inspect: --json, --memory and --svg exclude each other"),
			"--json has what the drawings show too, under memory")
	}
	return form, nil
}

// drawing is draw for models that have a plan to be drawn; for others it is
// nothing, and their error says why.
func drawing(draw func(w io.Writer, path string, r *runtime.Report) error) func(io.Writer, string, *runtime.Report) error {
	return func(w io.Writer, path string, r *runtime.Report) error {
		if r.Memory == nil {
			return nil
		}
		return draw(w, path, r)
	}
}

// printReport is the report for people.
func printReport(w io.Writer, path string, r *runtime.Report) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d bytes, weights %d, arena %s, %s MACs, kernels %s, numerics %s\n",
		path, r.FileBytes, r.WeightBytes, known(r.ArenaBytes), known(r.MACs), r.Kernels, r.Numerics)
	for i, t := range r.Inputs {
		fmt.Fprintf(&b, "input %d: %s %s %v, %s\n", i, t.Name, t.Type, t.Shape, quantText(t.TensorInfo))
	}
	for i, t := range r.Outputs {
		fmt.Fprintf(&b, "output %d: %s %s %v, %s\n", i, t.Name, t.Type, t.Shape, quantText(t.TensorInfo))
	}
	printGraph(&b, "", r.Operators, r.Tensors)
	for _, c := range r.Called {
		printGraph(&b, fmt.Sprintf(" of subgraph %d, which operator %d calls", c.Subgraph, c.Operator), c.Operators, c.Tensors)
	}
	if len(r.Unsupported) > 0 {
		b.WriteString("\ncannot run\n")
		for _, f := range r.Unsupported {
			b.WriteString("  " + f.Text + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printGraph lists the operators and tensors of one subgraph.
func printGraph(b *strings.Builder, of string, operators []runtime.OpReport, tensors []runtime.TensorReport) {
	fmt.Fprintf(b, "\noperators%s\n", of)
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, o := range operators {
		fmt.Fprintf(tw, "  %d\t%s\t%v → %v\t%s MACs\n", o.Index, o.Name, o.Inputs, o.Outputs, known(o.MACs))
	}
	tw.Flush()
	fmt.Fprintf(b, "\ntensors%s\n", of)
	for _, t := range tensors {
		fmt.Fprintf(tw, "  %d\t%s\t%v\t%s\t%s\t%s\n", t.Index, t.Type, t.Shape, role(t), quantText(t.TensorInfo), t.Name)
	}
	tw.Flush()
}

// known prints a number that there is only for a model that can run.
func known[T int | int64](n *T) string {
	if n == nil {
		return "unknown"
	}
	return strconv.FormatInt(int64(*n), 10)
}

func role(t runtime.TensorReport) string {
	switch {
	case t.Sparsity != nil:
		return fmt.Sprintf("constant, %.1f %% sparse", 100**t.Sparsity)
	case t.Constant:
		return "constant"
	case t.Variable:
		return "variable"
	}
	return "computed"
}

// quantText is the quantization in a few words.
func quantText(t runtime.TensorInfo) string {
	switch len(t.Scales) {
	case 0:
		return "not quantized"
	case 1:
		zero := int32(0)
		if len(t.ZeroPoints) > 0 {
			zero = t.ZeroPoints[0]
		}
		return fmt.Sprintf("scale %g zero point %d", t.Scales[0], zero)
	}
	return fmt.Sprintf("%d scales", len(t.Scales))
}
