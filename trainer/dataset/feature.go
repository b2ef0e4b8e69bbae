package dataset

import (
	"encoding/json"
	"fmt"

	"kedge/quant/data"
	"kedge/runtime/feature"
)

// Features is the declaration of a model's inputs, the features.json of its bundle.
type Features = feature.Set

// ParseFeatures reads a features.json.
func ParseFeatures(data []byte) (Features, error) {
	var set Features
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("features: %w: %w", ErrFormat, err)
	}
	if _, err := feature.Compile(set); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return set, nil
}

// Declare makes the declaration of t's columns that a model trained on t takes
// with it: each one's transform, and its mean and scale after that.
func (t *Table) Declare() (Features, error) {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	x := wide(t.X)
	set := make(Features, len(names))
	for _, transform := range []string{TransformNone, TransformSignedLog1p} {
		// All columns at once, and of the result those that have this transform.
		all, err := data.Standardize(names, x, transform)
		if err != nil {
			return nil, err
		}
		for i, c := range t.Columns {
			if c.Transform == transform {
				set[i] = all[i]
			}
		}
	}
	return set, nil
}

// Apply returns t's rows as a model takes them that was made with the
// declaration, whose columns have to be t's.
func (t *Table) Apply(set Features) ([]float32, error) {
	if len(set) != len(t.Columns) {
		return nil, fmt.Errorf("%d columns, the model has %d: %w", len(t.Columns), len(set), ErrColumns)
	}
	for i, c := range t.Columns {
		if c.Name != set[i].Name || c.Transform != set[i].Transform {
			return nil, fmt.Errorf("column %d is %s (%s), the model's %s (%s): %w", i, c.Name, c.Transform, set[i].Name, set[i].Transform, ErrColumns)
		}
	}
	compiled, err := feature.Compile(set)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(t.X))
	n := len(set)
	for i := range t.Len() {
		if err := compiled.Apply(out[i*n:(i+1)*n], wide(t.Row(i))); err != nil {
			return nil, fmt.Errorf("row %d: %w", i, err)
		}
	}
	return out, nil
}

// Wide returns row i in the precision in which devices take their inputs.
func (t *Table) Wide(i int) []float64 { return wide(t.Row(i)) }

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}
