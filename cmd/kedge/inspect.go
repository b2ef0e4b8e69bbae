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
listed, and the exit code is 10.`,
		Setup: setupInspect,
	}
}

func setupInspect(fs *flag.FlagSet) cli.Run {
	model := addModelFlags(fs)
	asJSON := fs.Bool("json", false, "print one JSON object")
	return func(_ context.Context, env cli.Env, args []string) error {
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
		var printed error
		if *asJSON {
			printed = cli.PrintJSON(env.Stdout, r)
		} else {
			printed = printReport(env.Stdout, args[0], r)
		}
		if errors.Is(err, runtime.ErrUnsupported) {
			err = fmt.Errorf("%s: %w", args[0], err)
			err = cli.WithHint(cli.WithCode(err, cli.ExitUnsupported), "convert the model without those operators")
		} else {
			err = modelError(args[0], err)
		}
		return cmp.Or(printed, err)
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
	b.WriteString("\noperators\n")
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, o := range r.Operators {
		fmt.Fprintf(tw, "  %d\t%s\t%v → %v\t%s MACs\n", o.Index, o.Name, o.Inputs, o.Outputs, known(o.MACs))
	}
	tw.Flush()
	b.WriteString("\ntensors\n")
	for _, t := range r.Tensors {
		fmt.Fprintf(tw, "  %d\t%s\t%v\t%s\t%s\t%s\n", t.Index, t.Type, t.Shape, role(t), quantText(t.TensorInfo), t.Name)
	}
	tw.Flush()
	if len(r.Unsupported) > 0 {
		b.WriteString("\ncannot run\n")
		for _, f := range r.Unsupported {
			b.WriteString("  " + f.Text + "\n")
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
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
