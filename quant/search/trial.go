package search

import (
	"context"
	"maps"

	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime/tensor"
)

// trial is a candidate.
type trial struct {
	ranges    calib.Ranges
	method    calib.Method // of the whole network
	corrected bool
	types     map[int]tensor.Type // wider than the rest

	measure measure
	bytes   int
}

// measure is how near a candidate comes to the float network, in decibels.
type measure struct {
	// all, even and odd are the mean of eval.Distance.Logits and Decisive, on all
	// samples and on each half: of the first alone, answers in doubt would count too
	// little, of the second alone, results in full.
	all, even, odd float64
	logits         float64 // as eval.Score
	agreement      float64
}

func (m measure) score() eval.Score { return eval.Score{Logits: m.logits, Agreement: m.agreement} }

// beats reports whether m is better than before by more than margin, on all
// samples, on neither half worse, and neither the logits as a whole are worse nor
// more answers turned.
func (m measure) beats(before measure, margin float64) bool {
	return m.all > before.all+margin && m.even >= before.even && m.odd >= before.odd &&
		m.logits >= before.logits && !(m.agreement < before.agreement) // which may be NaN
}

func even(sample int) bool { return sample%2 == 0 }
func odd(sample int) bool  { return sample%2 == 1 }

// make quantizes and writes a candidate.
func (c *searching) make(t *trial) (*graph.Graph, []byte, error) {
	o := c.o.PTQ
	if len(t.types) > 0 {
		o.Types = maps.Clone(o.Types)
		if o.Types == nil {
			o.Types = make(map[int]tensor.Type)
		}
		maps.Copy(o.Types, t.types)
	}
	q, err := ptq.Quantize(c.g, t.ranges, o)
	if err != nil {
		return nil, nil, err
	}
	if t.corrected {
		if q, err = ptq.CorrectBias(c.g, q, c.stats); err != nil {
			return nil, nil, err
		}
	}
	file, err := emit.ModelWith(q, c.o.Emit)
	return q, file, err
}

// evaluate runs a candidate as a device would.
func (c *searching) evaluate(ctx context.Context, t *trial) (measure, error) {
	_, file, err := c.make(t)
	if err != nil {
		return measure{}, err
	}
	t.bytes = len(file)
	c.result.Evaluations++
	if c.o.Progress != nil {
		c.o.Progress(c.result.Evaluations, max(c.total, c.result.Evaluations))
	}
	return measureOn(ctx, c.recording, file)
}

func measureOn(ctx context.Context, r *eval.Recording, file []byte) (measure, error) {
	device, err := eval.Device(file)
	if err != nil {
		return measure{}, err
	}
	d, err := r.Measure(ctx, device, eval.Options{})
	if err != nil {
		return measure{}, err
	}
	mean := func(pick func(int) bool) float64 { return (d.Decisive(pick) + d.Logits(pick)) / 2 }
	return measure{mean(nil), mean(even), mean(odd), d.Logits(nil), d.Agreement()}, nil
}
