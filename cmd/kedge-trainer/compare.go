package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"kedge/cmd/internal/cli"
	"kedge/quant/eval"
)

func compareCommand() cli.Command {
	return cli.Command{
		Name: "compare", Args: "A B", Summary: "put two models side by side: size, cost, operators, and results on samples",
		Detail: `
Give the float model first, then what was made of it. With --data, samples and, if there are, their
classes, both run on all samples: the signal-to-quantization-noise ratio
10·log10(Σ a² / Σ (a − b)²) is printed for what goes into the final SOFTMAX (or LOGISTIC) and for
every tensor that has the same name in both, beside the share of equal answers and the accuracy
of each. Integer models run as on a device, to the byte.
` + samplesDetail,
		Setup: func(fs *flag.FlagSet) cli.Run {
			var f sampleFlags
			f.flags(fs)
			f.classFlags(fs)
			path := fs.String("data", "", "`PATH` of samples and, if there are, their classes")
			asJSON := fs.Bool("json", false, "print one JSON object")
			return func(ctx context.Context, env cli.Env, args []string) error {
				r, err := compareModels(ctx, env, args[0], args[1], *path, &f)
				if err != nil {
					return err
				}
				if *asJSON {
					return cli.PrintJSON(env.Stdout, r)
				}
				return r.print(env.Stdout)
			}
		},
	}
}

// compareReport is what compare prints.
type compareReport struct {
	A *description `json:"a"`
	B *description `json:"b"`
	// Results is null without samples.
	Results *comparedReport `json:"results"`
}

// comparedReport is how B answers beside A.
type comparedReport struct {
	Data      string        `json:"data"`
	Samples   int           `json:"samples"`
	Windows   int           `json:"windows"`
	Notes     []string      `json:"notes"`
	LogitSQNR *float64      `json:"logit_sqnr_db"` // null where nothing differs
	Agreement *float64      `json:"agreement"`     // null where answers are no classes
	A         resultReport  `json:"a"`
	B         resultReport  `json:"b"`
	Layers    []layerReport `json:"layers"` // tensors of the same name, in A's order of execution
}

type layerReport struct {
	Name string   `json:"name"`
	SQNR *float64 `json:"sqnr_db"` // null where nothing differs
}

func compareModels(ctx context.Context, env cli.Env, a, b, samples string, f *sampleFlags) (*compareReport, error) {
	r := &compareReport{}
	var err error
	if r.A, err = describe(a); err != nil && !errors.Is(err, errCannotRun) {
		return nil, err
	}
	if r.B, err = describe(b); err != nil && !errors.Is(err, errCannotRun) {
		return nil, err
	}
	if samples != "" {
		r.Results, err = compareOn(ctx, env, a, b, samples, f)
		return r, err
	}
	return r, nil
}

func compareOn(ctx context.Context, env cli.Env, a, b, samples string, f *sampleFlags) (*comparedReport, error) {
	reference, err := openModel(a)
	if err != nil {
		return nil, err
	}
	candidate, err := openModel(b)
	if err != nil {
		return nil, err
	}
	if reference.kind == "float" && candidate.kind == "integer" {
		if err := reference.simplify(); err != nil {
			return nil, err
		}
	}
	perms := reference.perms
	if perms == nil {
		perms = candidate.perms
	}
	s, err := f.read(samples, reference.Inputs(), perms)
	if err != nil {
		return nil, err
	}
	p := newProgress(env.Stderr)
	c, err := eval.Compare(ctx, reference, candidate, s.Set, s.labels, eval.Options{Progress: p.step("comparing")})
	p.end()
	if err != nil {
		return nil, evalError(a+" and "+b, samples, err)
	}
	r := &comparedReport{
		Data: samples, Samples: s.Count, Windows: s.Windows, Notes: append([]string{}, s.Notes...),
		LogitSQNR: finite(c.Logits), Agreement: finite(c.Agreement),
		A: newResultReport(c.Reference), B: newResultReport(c.Candidate), Layers: []layerReport{},
	}
	for _, l := range c.Layers {
		r.Layers = append(r.Layers, layerReport{l.Name, finite(l.SQNR)})
	}
	return r, nil
}

// sqnrText prints a ratio that is absent where nothing differs.
func sqnrText(v *float64) string {
	if v == nil {
		return "equal"
	}
	return fmt.Sprintf("%.1f dB", *v)
}
