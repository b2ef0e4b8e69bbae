package feature

import (
	"errors"
	"fmt"
	"math"
)

// Transforms that a column can declare.
const (
	None        = "none"         // x as it is; the empty string means the same
	SignedLog1p = "signed-log1p" // sign(x)·ln(1+|x|), for values over many magnitudes
)

// ErrNotFinite: a value, or what became of it, is NaN or infinite.
var ErrNotFinite = errors.New("not a finite number")

// Column declares one feature: transform, then (t − Mean)/Scale.
type Column struct {
	Name      string  `json:"name"`
	Transform string  `json:"transform"`
	Mean      float64 `json:"mean"`
	Scale     float64 `json:"scale"`
}

// Set is the declaration of all features, in the model's order.
type Set []Column

// Tabular is a checked declaration.
type Tabular struct{ columns []compiled }

type compiled struct {
	Column
	log bool
}

// Compile checks a declaration: at least one column, known transforms, finite
// means, finite scales above 0. The error names the column.
func Compile(columns Set) (*Tabular, error) {
	if len(columns) == 0 {
		return nil, errors.New("features: none declared")
	}
	t := &Tabular{make([]compiled, len(columns))}
	for i, c := range columns {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("feature %d %q: %w", i, c.Name, err)
		}
		t.columns[i] = compiled{c, c.Transform == SignedLog1p}
	}
	return t, nil
}

func (c *Column) check() error {
	switch {
	case c.Transform != None && c.Transform != "" && c.Transform != SignedLog1p:
		return fmt.Errorf("transform %q: want %q or %q", c.Transform, None, SignedLog1p)
	case !finite(c.Mean):
		return fmt.Errorf("mean %v: %w", c.Mean, ErrNotFinite)
	case !finite(c.Scale):
		return fmt.Errorf("scale %v: %w", c.Scale, ErrNotFinite)
	case c.Scale <= 0:
		return fmt.Errorf("scale %v: must be above 0", c.Scale)
	}
	return nil
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// Len is the number of features.
func (t *Tabular) Len() int { return len(t.columns) }

// Apply transforms one row, x to dst; both have Len elements. It does not
// allocate unless it fails. An error that wraps ErrNotFinite names the column;
// dst is then partly written.
func (t *Tabular) Apply(dst []float32, x []float64) error {
	if len(x) != len(t.columns) || len(dst) != len(t.columns) {
		return fmt.Errorf("features: %d values into %d, want %d", len(x), len(dst), len(t.columns))
	}
	for i := range t.columns {
		c := &t.columns[i]
		v := c.apply(x[i])
		if !finite(float64(v)) {
			return fmt.Errorf("feature %d %q: %v: %w", i, c.Name, x[i], ErrNotFinite)
		}
		dst[i] = v
	}
	return nil
}

// apply is one column's definition, in float64 with one rounding to float32 at
// the end.
func (c *compiled) apply(x float64) float32 {
	if c.log {
		x = math.Copysign(log1p(math.Abs(x)), x)
	}
	return float32(float64(x-c.Mean) / c.Scale)
}
