package release

import (
	"encoding/json"
	"iter"
	"math"
	"slices"

	"kedge/agent/drift"
	"kedge/agent/drift/estimate"
	"kedge/agent/drift/inputs"
	"kedge/agent/drift/signal"
	"kedge/telemetry/trust"
)

// MaxInputs is how many features devices watch. The inputs of a model with more are
// left to its signals.
const MaxInputs = 128

// A Watched is a signal that is watched beside the first one, with its reference.
type Watched struct {
	Signal    trust.Signal
	Reference drift.Reference
}

// NewMargin makes a signal of logit margins on samples that the model was not trained
// on, in the order in which they were taken; none if there are too few, or the model
// has none. Its range ends at the 90th percentile: beyond it a model is sure enough,
// and what matters is told apart the finer.
func NewMargin(margins []float64) ([]Watched, error) {
	if len(margins) < drift.MinReference || slices.ContainsFunc(margins, math.IsNaN) {
		return nil, nil
	}
	high := slices.Sorted(slices.Values(margins))[len(margins)*9/10]
	declared, err := signal.Parse(signal.Margin, 0, high, false)
	if err != nil {
		return nil, nil // no margin at all, in nine of ten samples
	}
	values := make([]float64, len(margins))
	for i, m := range margins {
		values[i] = declared.Value(&signal.Inference{Logits: []float64{m, 0}})
	}
	ref, err := drift.NewReference(values)
	if err != nil {
		return nil, err
	}
	return []Watched{{Signal: trust.Signal{Name: signal.Margin, High: high}, Reference: ref}}, nil
}

// NewInputs makes the reference of the inputs, of rows of features before
// standardization, in the order in which they were taken; nil if there are too few
// rows, or too many features.
func NewInputs(names []string, rows iter.Seq[[]float64]) (*inputs.Reference, error) {
	if len(names) > MaxInputs {
		return nil, nil
	}
	columns := make([]inputs.Column, len(names))
	for i, name := range names {
		columns[i] = inputs.Column{Name: name, Type: inputs.Float}
	}
	b, n := inputs.NewBuilder(columns), 0
	for row := range rows {
		if err := b.Add(row); err != nil {
			return nil, err
		}
		n++
	}
	if n < inputs.MinReference {
		return nil, nil
	}
	return b.Reference()
}

// NewAccuracy fits what devices estimate their accuracy with: confidences on samples
// that the model was not trained on, and whether it was right. Nil if there are too few.
func NewAccuracy(confidences []float64, right []bool) (*trust.Accuracy, error) {
	if len(confidences) < drift.MinReference {
		return nil, nil
	}
	steps := make([]uint8, len(confidences))
	for i, c := range confidences {
		steps[i] = drift.Quantize(c)
	}
	a, err := estimate.Fit(steps, right)
	return (*trust.Accuracy)(&a), err
}

// watch declares what is watched beside the first signal.
func (c *Candidate) watch(b *trust.Bundle) (err error) {
	if len(c.Signals) > 0 {
		references := make(map[string]drift.Reference)
		b.Manifest.Signals = []trust.Signal{{Name: b.Manifest.Signal}}
		for _, w := range c.Signals {
			if err := checkReference(w.Reference); err != nil {
				return err
			}
			b.Manifest.Signals = append(b.Manifest.Signals, w.Signal)
			references[w.Signal.Name] = w.Reference
		}
		if b.References, err = json.Marshal(references); err != nil {
			return unfit(PartReference, "%w", err)
		}
	}
	if c.Inputs != nil {
		if err := c.Inputs.Validate(); err != nil {
			return unfit(PartReference, "%w", err)
		}
		if b.Inputs, err = json.Marshal(c.Inputs); err != nil {
			return unfit(PartReference, "%w", err)
		}
	}
	return nil
}
