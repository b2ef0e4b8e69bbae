package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"kedge/cmd/internal/cli"
	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/quant/search"
)

// methodAuto searches.
const methodAuto = "auto"

// parseMethod reads --method; auto is none in particular.
func parseMethod(name string) (calib.Method, error) {
	if name == methodAuto {
		return calib.Method{}, nil
	}
	return calib.ParseMethod(name)
}

func methodName(m calib.Method, corrected bool) string {
	name := m.String()
	if corrected {
		name += " with bias correction"
	}
	return name
}

// calibrated is a float network with what is known of its activations.
type calibrated struct {
	graph      *graph.Graph
	options    ptq.Options
	emit       emit.Options
	set        *eval.Set // this and what follows: nil without samples
	labels     []int     // nil without classes
	statistics *calib.Statistics
	recording  *eval.Recording // of the float network on set
}

// made is a quantized network.
type made struct {
	file    []byte
	by      string // the method
	score   eval.Score
	tried   []triedReport
	choices []choiceReport
	types   []typeReport
}

// choose quantizes as --method says.
func (q *quantize) choose(ctx context.Context, path string, c *calibrated) (*made, error) {
	if c.set == nil {
		file, err := c.copied()
		return &made{file: file, by: "as in " + q.like, score: eval.Score{Logits: math.NaN(), Agreement: math.NaN()}}, quantizeError(path, err)
	}
	method, err := parseMethod(q.method)
	if err != nil {
		return nil, err
	}
	o := search.Options{PTQ: c.options, Emit: c.emit, Goal: q.minSQNR, MaxBytes: q.maxBytes, MaxMACs: q.maxMACs, Progress: q.progress.step("searching")}
	find := search.Run
	if q.method != methodAuto || len(c.options.Given) > 0 { // what is given is not to choose
		find = func(ctx context.Context, g *graph.Graph, s *calib.Statistics, r *eval.Recording, o search.Options) (*search.Result, error) {
			return search.Apply(ctx, g, s, r, method, o)
		}
	}
	r, err := find(ctx, c.graph, c.statistics, c.recording, o)
	if err != nil {
		return nil, quantizeError(path, err)
	}
	return c.describe(r), nil
}

// describe is what the report needs of a search.
func (c *calibrated) describe(r *search.Result) *made {
	m := &made{file: r.File, by: methodName(r.Method, r.Corrected), score: r.Score}
	for _, t := range r.Tried {
		m.tried = append(m.tried, triedReport{methodName(t.Method, t.Corrected), finite(t.Score.Logits), finite(t.Score.Agreement)})
	}
	for _, choice := range r.Choices {
		m.choices = append(m.choices, choiceReport{choice.Name, methodName(choice.Method, false), finite(choice.Gain)})
	}
	for i := range c.graph.Nodes {
		if to, ok := r.Types[i]; ok {
			m.types = append(m.types, typeReport{c.graph.Tensor(c.graph.Nodes[i].Outputs[0]).Name, fmt.Sprint(to)})
		}
	}
	return m
}

// copied writes the network with parameters from elsewhere alone.
func (c *calibrated) copied() ([]byte, error) {
	g, err := ptq.Quantize(c.graph, nil, c.options)
	if err != nil {
		return nil, err
	}
	return emit.ModelWith(g, c.emit)
}

func quantizeError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ptq.ErrRange):
		return cli.WithHint(fmt.Errorf("%s: %w", path, err), "give --calibration samples for which the activation takes usable values")
	case errors.Is(err, search.ErrGoal):
		return cli.WithHint(fmt.Errorf("%s: %w", path, err), "give a smaller --min-sqnr, or --float-io")
	case errors.Is(err, search.ErrBudget):
		return cli.WithHint(fmt.Errorf("%s: %w", path, err), "give a greater --max-bytes or --max-macs, a smaller --min-sqnr, or prune the model first")
	}
	return importError(path, err)
}
