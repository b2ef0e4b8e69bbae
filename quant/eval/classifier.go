package eval

import (
	"fmt"
	"math"
)

// Classifier runs a Model of one input and one output on rows of real numbers,
// without allocating.
type Classifier struct {
	session  Session
	features int
	classes  int
	inputs   [1][]float32
	logits   []float32 // of the last row; nil where there is no SOFTMAX
	keep     func(tensor int, values []float32)
}

// Answer is what a classifier says about one row.
type Answer struct {
	Class      int     // the greatest output, the first of equals
	Confidence float64 // that output's real value; a probability after SOFTMAX
	// Margin is the difference of the two highest inputs of the final SOFTMAX, NaN
	// where there is none or one class only.
	Margin float64
}

// NewClassifier makes a classifier of m. Errors match ErrModel.
func NewClassifier(m Model) (*Classifier, error) {
	in, out := m.Inputs(), m.Outputs()
	if len(in) != 1 || len(out) != 1 {
		return nil, fmt.Errorf("%w: %d inputs and %d outputs, want one of each", ErrModel, len(in), len(out))
	}
	c := &Classifier{features: in[0].Size(), classes: out[0].Size()}
	var watch []int
	if l := m.Logits()[0]; l.By == "SOFTMAX" && l.Size() == c.classes {
		watch, c.logits = []int{l.Index}, make([]float32, c.classes)
		c.keep = func(_ int, values []float32) { copy(c.logits, values) }
	}
	var err error
	c.session, err = m.NewSession(watch)
	return c, err
}

// OpenClassifier is NewClassifier of a .tflite file, see Open.
func OpenClassifier(file []byte) (*Classifier, error) {
	m, err := Open(file)
	if err != nil {
		return nil, err
	}
	return NewClassifier(m)
}

// Features is the number of values in a row.
func (c *Classifier) Features() int { return c.features }

// Classes is the number of outputs.
func (c *Classifier) Classes() int { return c.classes }

// Classify runs one row of Features real numbers.
func (c *Classifier) Classify(row []float32) (Answer, error) {
	if len(row) != c.features {
		return Answer{}, fmt.Errorf("%w: row of %d values, the model takes %d", ErrSamples, len(row), c.features)
	}
	c.inputs[0] = row
	outputs, err := c.session.Run(c.inputs[:], c.keep)
	if err != nil {
		return Answer{}, err
	}
	class := top(outputs[0])
	return Answer{Class: class, Confidence: float64(outputs[0][class]), Margin: c.margin()}, nil
}

// margin is that of the last row.
func (c *Classifier) margin() float64 {
	if len(c.logits) < 2 {
		return math.NaN()
	}
	first, second := math.Inf(-1), math.Inf(-1)
	for _, v := range c.logits {
		x := float64(v)
		first, second = max(first, x), max(second, min(first, x))
	}
	return first - second
}

// top is the index of the greatest value, of equals the first.
func top(row []float32) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}
