// Package eval measures what a quantized model is worth beside the float one it
// came from: accuracy, agreement of the two, and the signal-to-noise ratio of
// every layer.
//
// Open a classifier on a .tflite file's bytes and ask it for answers, or call
// Compare with the float graph for the whole comparison. The model runs on
// package runtime, so what is measured here is to the byte what a device
// computes. A Classifier belongs to one goroutine at a time.
package eval

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"kedge/runtime"
)

var (
	// ErrModel: the model is no classifier of one input and one output.
	ErrModel = errors.New("eval: model does not fit")
	// ErrSamples: the samples do not fit the model.
	ErrSamples = errors.New("eval: bad samples")
)

// Classifier runs a .tflite classifier on rows of real numbers.
type Classifier struct {
	session  *runtime.Session
	features int
	classes  int
	logits   []float32 // of the last row, dequantized
	before   []float32 // what went into the softmax; nil where there is none
	softmax  runtime.TensorInfo
}

// Answer is what a classifier says about one row.
type Answer struct {
	Class      int     // the greatest output, the first of equals
	Confidence float64 // that output's real value; a probability after SOFTMAX
	// Margin is the difference of the two highest inputs of the final SOFTMAX, NaN
	// where there is none or one class only.
	Margin float64
}

// Open loads an int8 model, whose input and output may also be float32. (Float
// models throughout are run by package graph; the runtime declines them.)
// Errors match ErrModel or are package runtime's.
func Open(model []byte) (*Classifier, error) {
	return open(model, runtime.SessionOptions{})
}

func open(model []byte, o runtime.SessionOptions) (*Classifier, error) {
	m, err := runtime.Load(model, runtime.Options{})
	if err != nil {
		return nil, err
	}
	softmax, hasSoftmax := m.Logits()
	if hasSoftmax {
		o.Keep = append(o.Keep, softmax.Index)
	}
	s, err := m.NewSession(o)
	if err != nil {
		return nil, err
	}
	if len(s.Inputs()) != 1 || len(s.Outputs()) != 1 {
		return nil, fmt.Errorf("%w: %d inputs and %d outputs, want one of each", ErrModel, len(s.Inputs()), len(s.Outputs()))
	}
	c := &Classifier{session: s}
	for _, p := range []struct {
		info *runtime.TensorInfo
		n    *int
	}{{&s.Inputs()[0], &c.features}, {&s.Outputs()[0], &c.classes}} {
		size := 1
		switch p.info.Type {
		case runtime.Float32:
			size = 4
		case runtime.Int8:
			if len(p.info.Scales) != 1 || p.info.Scales[0] <= 0 {
				return nil, fmt.Errorf("%w: %q has %d scales, want one", ErrModel, p.info.Name, len(p.info.Scales))
			}
		default:
			return nil, fmt.Errorf("%w: %q is %v, want int8 or float32", ErrModel, p.info.Name, p.info.Type)
		}
		if *p.n = p.info.Bytes / size; *p.n == 0 {
			return nil, fmt.Errorf("%w: %q is empty", ErrModel, p.info.Name)
		}
	}
	c.logits = make([]float32, c.classes)
	if hasSoftmax && decodable(softmax, c.classes) && len(s.Tensor(softmax.Index)) == softmax.Bytes {
		c.before, c.softmax = make([]float32, c.classes), softmax
	}
	return c, nil
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
	encode(c.session.Input(0), c.session.Inputs()[0], row)
	if err := c.session.Invoke(); err != nil {
		return Answer{}, err
	}
	decode(c.logits, c.session.Outputs()[0], c.session.Output(0))
	top := 0
	for i, v := range c.logits {
		if v > c.logits[top] {
			top = i
		}
	}
	return Answer{Class: top, Confidence: float64(c.logits[top]), Margin: c.margin()}, nil
}

// margin is that of the last row.
func (c *Classifier) margin() float64 {
	if len(c.before) < 2 {
		return math.NaN()
	}
	decode(c.before, c.softmax, c.session.Tensor(c.softmax.Index))
	first, second := math.Inf(-1), math.Inf(-1)
	for _, v := range c.before {
		x := float64(v)
		first, second = max(first, x), max(second, min(first, x))
	}
	return first - second
}

// decodable reports whether decode can read n numbers out of a tensor.
func decodable(t runtime.TensorInfo, n int) bool {
	return t.Type == runtime.Float32 && t.Bytes == 4*n || t.Type == runtime.Int8 && t.Bytes == n && len(t.Scales) == 1 && t.Scales[0] > 0
}

// encode quantizes real numbers the way the QUANTIZE operator does: x/scale in
// float32, halves away from zero, saturated.
func encode(to []byte, info runtime.TensorInfo, x []float32) {
	if info.Type == runtime.Float32 {
		for i, v := range x {
			binary.LittleEndian.PutUint32(to[4*i:], math.Float32bits(v))
		}
		return
	}
	scale, zero := info.Scales[0], float64(zeroPoint(info))
	for i, v := range x {
		q := math.Round(float64(float32(v/scale))) + zero
		to[i] = byte(int8(min(max(q, -128), 127)))
	}
}

// decode gives the real numbers that a tensor's bytes stand for.
func decode(to []float32, info runtime.TensorInfo, from []byte) {
	if info.Type == runtime.Float32 {
		for i := range to {
			to[i] = math.Float32frombits(binary.LittleEndian.Uint32(from[4*i:]))
		}
		return
	}
	scale, zero := info.Scales[0], zeroPoint(info)
	for i := range to {
		to[i] = scale * float32(int32(int8(from[i]))-zero)
	}
}

func zeroPoint(info runtime.TensorInfo) int32 {
	if len(info.ZeroPoints) == 0 {
		return 0
	}
	return info.ZeroPoints[0]
}
