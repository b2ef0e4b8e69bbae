package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/trainer/dataset"
	"kedge/trainer/release"
	"kedge/trainer/train"
)

// made is a trained model with what was measured of it.
type made struct {
	weights  []byte // float .tflite, to go on training from
	graph    *graph.Graph
	judged   train.Samples // what it was measured on, and not trained on
	held     []train.Held  // answers to these, in their order in time
	accuracy float64       // on the same
}

// fit trains with the built-in trainer and measures by cross-validation over
// folded: training samples are too precious to set some aside for good.
func (p *Pipeline) fit(ctx context.Context, start *train.Dense, always, folded train.Samples, o train.Options) (made, error) {
	type measured struct {
		held []train.Held
		err  error
	}
	// Measuring and training do not depend on each other.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan measured, 1)
	go func() {
		held, err := train.CrossConfidences(ctx, start, always, folded, Folds, o)
		done <- measured{held, err}
	}()
	net, _, err := train.Fit(ctx, start, train.Join(always, folded), train.Samples{}, o)
	if err != nil {
		cancel()
	}
	m := <-done
	if err != nil {
		return made{}, err
	}
	if m.err != nil {
		return made{}, m.err
	}
	result := made{judged: folded, held: m.held, accuracy: accuracy(m.held)}
	if result.weights, err = net.Float(""); err != nil {
		return made{}, err
	}
	result.graph, err = net.Graph()
	return result, err
}

// command trains with the user's command and measures on a part of folded that
// the command gets for validation only.
func (p *Pipeline) command(ctx context.Context, base []byte, always, folded train.Samples, params train.Params) (made, error) {
	n := folded.Len()
	share := max(0.3, float64(minReference)/float64(n))
	in, out := dataset.Split(folded.Y, min(share, 0.5), p.Seed)
	validation := folded.Select(out)
	done, err := p.runCommand(ctx, train.Job{
		Train: train.Join(always, folded.Select(in)), Validation: validation, Base: base, Params: params,
	})
	if err != nil {
		return made{}, err
	}
	result := made{weights: done.Model, graph: done.Graph, judged: validation}
	model, err := quantize(ctx, result.graph, folded.X)
	if err != nil {
		return made{}, err
	}
	answers, err := classify(model, validation)
	if err != nil {
		return made{}, err
	}
	result.held, result.accuracy = answers, accuracy(answers)
	return result, nil
}

// minReference is drift's least reference, below which nothing is derived.
const minReference = 30

// quantize makes an int8 .tflite of a float graph; x are rows to calibrate with.
func quantize(ctx context.Context, g *graph.Graph, x []float32) ([]byte, error) {
	seen, err := calib.Collect(ctx, g, [][]float32{x}, calib.Options{})
	if err != nil {
		return nil, err
	}
	ranges, err := seen.Ranges(calib.MinMax())
	if err != nil {
		return nil, err
	}
	q, err := ptq.Quantize(g, ranges, ptq.Options{})
	if err != nil {
		return nil, err
	}
	return emit.Model(q)
}

// accuracy is the share of right answers.
func accuracy(held []train.Held) float64 {
	right := 0
	for _, h := range held {
		if h.Correct {
			right++
		}
	}
	return float64(right) / float64(len(held))
}

// classify asks a model for its answers to some samples.
func classify(model []byte, s train.Samples) ([]train.Held, error) {
	c, err := eval.OpenClassifier(model)
	if err != nil {
		return nil, err
	}
	answers := make([]train.Held, s.Len())
	for i := range answers {
		got, err := c.Classify(s.Row(i))
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
		answers[i] = train.Held{Class: got.Class, Confidence: got.Confidence, Margin: got.Margin, Correct: got.Class == s.Y[i]}
	}
	return answers, nil
}

// release quantizes, compares with the float model, and signs.
func (p *Pipeline) release(ctx context.Context, m made, c release.Candidate, all train.Samples, features dataset.Features) (Outcome, error) {
	out := Outcome{Samples: all.Len(), Accuracy: m.accuracy}
	model, err := quantize(ctx, m.graph, all.X)
	if err != nil {
		return out, err
	}
	compared, err := compare(ctx, m.graph, model, all)
	if err != nil {
		return out, err
	}
	if compared.Agreement < MinAgreement {
		return out, fmt.Errorf("%.1f %% of the answers are the same: %w", 100*compared.Agreement, ErrQuantized)
	}
	confidences, margins := make([]float64, len(m.held)), make([]float64, len(m.held))
	right := make([]bool, len(m.held))
	for i, h := range m.held {
		confidences[i], margins[i], right[i] = h.Confidence, h.Margin, h.Correct
	}
	reference, err := release.NewReference(confidences)
	if err != nil {
		return out, err
	}
	if c.Threshold, err = release.NewAccuracy(confidences, right); err != nil {
		return out, err
	}
	if c.Signals, err = release.NewMargin(margins); err != nil {
		return out, err
	}
	out.Weak = reference.Weak()
	if c.Features, err = json.Marshal(features); err != nil {
		return out, fmt.Errorf("features: %w", err)
	}
	c.Model, c.Reference, c.Weights, c.Accuracy = model, reference, m.weights, m.accuracy
	out.Release, err = p.Registry.Release(ctx, c)
	return out, err
}

// compare measures what quantization cost.
func compare(ctx context.Context, float *graph.Graph, model []byte, s train.Samples) (*eval.Comparison, error) {
	reference, err := eval.Float(float)
	if err != nil {
		return nil, err
	}
	candidate, err := eval.Open(model)
	if err != nil {
		return nil, err
	}
	rows, err := eval.FromRows(candidate, s.X)
	if err != nil {
		return nil, err
	}
	return eval.Compare(ctx, reference, candidate, rows, s.Y, eval.Options{})
}

// golden picks rows spread over a table.
func golden(t *dataset.Table) [][]float64 {
	n := min(goldenRows, t.Len())
	rows := make([][]float64, 0, n)
	for i := range n {
		rows = append(rows, t.Wide(i*t.Len()/n))
	}
	return rows
}
