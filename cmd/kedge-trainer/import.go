package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"kedge/cmd/internal/cli"
	"kedge/quant/emit"
	"kedge/quant/graph"
	"kedge/quant/pass"
)

func importCommand() cli.Command {
	return cli.Command{
		Name: "import", Args: "MODEL", Summary: "read an ONNX or .tflite model and write a simplified float .tflite",
		Detail: `
What the simplified model computes is the same up to the rounding of float32. Images of an ONNX
model, channels first there, have their channels last in the result.
A model with operators that cannot be imported is refused, all of them are listed, and the exit
code is 10.`,
		Setup: func(fs *flag.FlagSet) cli.Run {
			out := fs.String("output", "", "`FILE` to write, a .tflite file")
			asJSON := fs.Bool("json", false, "print one JSON object")
			return func(_ context.Context, env cli.Env, args []string) error {
				if err := checkOutput(*out, args[0]); err != nil {
					return err
				}
				return importModel(env, args[0], *out, *asJSON)
			}
		},
	}
}

// imported is what import prints.
type imported struct {
	Model  string `json:"model"`
	Format form   `json:"format"`
	Bytes  int    `json:"bytes"`
	prepared
	Output      string `json:"output"`
	OutputBytes int    `json:"output_bytes"`
}

// prepared is what import and quantize say of the float network.
type prepared struct {
	Passes []passReport `json:"passes"`
	// Difference is how far the passes moved the results of random inputs, as a
	// share of the greatest; null where nothing was changed, or where a result is
	// no number any more.
	Difference *float64       `json:"difference"`
	Before     sizeReport     `json:"before"`
	After      sizeReport     `json:"after"`
	Inputs     []tensorReport `json:"inputs"`
	Outputs    []tensorReport `json:"outputs"`
}

// passReport is what one pass did.
type passReport struct {
	Pass   string     `json:"pass"`
	Steps  []string   `json:"steps"`
	Before sizeReport `json:"before"`
	After  sizeReport `json:"after"`
}

type sizeReport struct {
	Operators int   `json:"operators"`
	Weights   int64 `json:"weights"`
	MACs      int64 `json:"macs"`
}

func sizeOf(s pass.Size) sizeReport { return sizeReport{s.Nodes, s.Weights, s.MACs} }

// tensorReport is an input or output of the network.
type tensorReport struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
	// Source is the shape in the ONNX model where it differs.
	Source []int `json:"source_shape,omitempty"`
}

// prepare reports on simplified, which came from n.
func (n *network) prepare(simplified *graph.Graph, changes []pass.Change) prepared {
	cost, _ := n.graph.Cost()
	p := prepared{Passes: []passReport{}, Before: sizeReport{len(n.graph.Nodes), cost.Weights, cost.MACs}}
	cost, _ = simplified.Cost()
	p.After = sizeReport{len(simplified.Nodes), cost.Weights, cost.MACs}
	for _, c := range changes {
		p.Passes = append(p.Passes, passReport{c.Pass, c.Steps, sizeOf(c.Before), sizeOf(c.After)})
	}
	if n.difference != nil {
		p.Difference = finite(*n.difference)
	}
	for i, id := range simplified.Inputs {
		t := simplified.Tensor(id)
		r := tensorReport{Name: t.Name, Shape: t.Shape}
		if i < len(n.perms) && n.perms[i] != nil {
			r.Source = make([]int, len(t.Shape))
			for k, axis := range n.perms[i] {
				r.Source[axis] = t.Shape[k]
			}
		}
		p.Inputs = append(p.Inputs, r)
	}
	for _, id := range simplified.Outputs {
		t := simplified.Tensor(id)
		p.Outputs = append(p.Outputs, tensorReport{Name: t.Name, Shape: t.Shape})
	}
	return p
}

func importModel(env cli.Env, path, out string, asJSON bool) error {
	n, err := readNetwork(path)
	if err != nil {
		return err
	}
	g, changes, err := n.simplify()
	if err != nil {
		return err
	}
	file, err := emit.Model(g)
	if err != nil {
		return importError(path, err)
	}
	if err := writeBytes(out, file); err != nil {
		return err
	}
	r := imported{path, n.form, len(n.file), n.prepare(g, changes), out, len(file)}
	if asJSON {
		return cli.PrintJSON(env.Stdout, r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d bytes\n", path, n.form, len(n.file))
	r.print(&b)
	fmt.Fprintf(&b, "%s: float, %d bytes\n", out, len(file))
	_, err = io.WriteString(env.Stdout, b.String())
	return err
}

// print lists passes, cost, inputs and outputs.
func (p *prepared) print(b *strings.Builder) {
	for _, c := range p.Passes {
		fmt.Fprintf(b, "%s: %s%s\n", c.Pass, counted(len(c.Steps), "change"), difference(c.Before, c.After))
	}
	if len(p.Passes) == 0 {
		b.WriteString("nothing to simplify\n")
	} else if p.Difference == nil {
		b.WriteString("results of random inputs: no numbers any more\n")
	} else {
		fmt.Fprintf(b, "results of random inputs: changed by at most %.2g of the greatest\n", *p.Difference)
	}
	fmt.Fprintf(b, "network: %s, %s, %s\n", counted(p.After.Operators, "operator"), counted(p.After.Weights, "weight"), counted(p.After.MACs, "MAC"))
	for _, t := range p.Inputs {
		fmt.Fprintf(b, "input %s: %v", t.Name, t.Shape)
		if t.Source != nil {
			fmt.Fprintf(b, ", channels last; %v in the ONNX model", t.Source)
		}
		b.WriteString("\n")
	}
	for _, t := range p.Outputs {
		fmt.Fprintf(b, "output %s: %v\n", t.Name, t.Shape)
	}
}

// difference says what changed, beginning with a comma.
func difference(a, b sizeReport) string {
	var s strings.Builder
	for _, v := range []struct {
		name          string
		before, after int64
	}{{"operators", int64(a.Operators), int64(b.Operators)}, {"weights", a.Weights, b.Weights}, {"MACs", a.MACs, b.MACs}} {
		if v.before != v.after {
			fmt.Fprintf(&s, ", %s %d to %d", v.name, v.before, v.after)
		}
	}
	return s.String()
}

// counted is a number with the name of what it counts.
func counted[T int | int64](n T, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
