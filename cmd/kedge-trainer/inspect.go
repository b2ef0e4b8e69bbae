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
)

func inspectCommand() cli.Command {
	return cli.Command{
		Name: "inspect", Args: "MODEL", Summary: "describe an ONNX or .tflite model: operators, cost, quantization, what is not supported",
		Detail: `
A model that cannot be imported, or, if it is quantized, that no device can run, is described as
far as possible; all that is not supported is listed, and the exit code is 10. kedge inspect
describes a .tflite model as a device sees it, with its memory.`,
		Setup: func(fs *flag.FlagSet) cli.Run {
			asJSON := fs.Bool("json", false, "print one JSON object")
			return func(_ context.Context, env cli.Env, args []string) error {
				d, err := describe(args[0])
				if err != nil && !errors.Is(err, errCannotRun) {
					return err
				}
				if *asJSON {
					return cmp.Or(cli.PrintJSON(env.Stdout, d), err)
				}
				return cmp.Or(d.print(env.Stdout), err)
			}
		},
	}
}

func (d *description) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s, %d bytes", d.Model, d.Format, d.Arithmetic, d.Bytes)
	if d.Producer != "" {
		fmt.Fprintf(&b, ", made by %s", d.Producer)
	}
	fmt.Fprintf(&b, "\nweights %s, %s of them zero, MACs %s, arena on a device %s\n",
		knownOr(d.Weights), percent(d.Zeros, d.Weights), knownOr(d.MACs), knownOr(d.ArenaBytes))
	for _, side := range []struct {
		name string
		list []describedTensor
	}{{"input", d.Inputs}, {"output", d.Outputs}} {
		for _, t := range side.list {
			fmt.Fprintf(&b, "%s %s: %v, %s", side.name, t.Name, t.Shape, t.Quant)
			if t.Source != nil {
				fmt.Fprintf(&b, "; %v in the ONNX model", t.Source)
			}
			b.WriteString("\n")
		}
	}
	d.printOperators(&b)
	for _, list := range []struct {
		title   string
		reasons []string
	}{{"cannot be imported", d.Unsupport.Import}, {"cannot run on a device", d.Unsupport.Device}} {
		if len(list.reasons) > 0 {
			fmt.Fprintf(&b, "\n%s\n  %s\n", list.title, strings.Join(list.reasons, "\n  "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d *description) printOperators(b *strings.Builder) {
	if len(d.Operators) == 0 {
		return
	}
	b.WriteString("\n")
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "\toperator\tresult\tMACs\tweights\tzero\tweights are\tresults are\tname\n")
	for _, o := range d.Operators {
		weights, zero := "-", "-"
		if o.Weights != nil && *o.Weights > 0 {
			weights, zero = knownOr(o.Weights), percent(o.Zeros, o.Weights)
		}
		fmt.Fprintf(tw, "%d\t%s\t%v\t%s\t%s\t%s\t%s\t%s\t%s\n",
			o.Index, o.Name, o.Shape, knownOr(o.MACs), weights, zero, cmp.Or(o.Filter, "-"), o.Quant, o.Output)
	}
	tw.Flush()
}

// knownOr prints a number that may be unknown.
func knownOr[T int | int64](n *T) string {
	if n == nil {
		return "unknown"
	}
	return strconv.FormatInt(int64(*n), 10)
}

// percent prints the share of one number in another.
func percent(part, of *int64) string {
	if part == nil || of == nil {
		return "unknown"
	}
	if *of == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(*part)/float64(*of))
}
