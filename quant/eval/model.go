package eval

import (
	"errors"
	"fmt"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime"
	"kedge/runtime/tensor"
)

// Model is a network that can be run on samples of real numbers. Integer models
// take and give them through their own quantization.
type Model interface {
	// Inputs and Outputs are in the model's order.
	Inputs() []Tensor
	Outputs() []Tensor
	// Logits gives for every output what goes into the SOFTMAX, LOG_SOFTMAX or
	// LOGISTIC that makes it, or the output itself. Quantization errors are
	// measured there: behind, a sure answer hides them.
	Logits() []Logits
	// Activations are the inputs and all that is computed from them, in
	// execution order.
	Activations() []Tensor
	// NewSession makes a session whose Run shows the tensors with these indices.
	NewSession(watch []int) (Session, error)
}

// Session runs a Model. It keeps its buffers between runs.
type Session interface {
	// Run computes one sample: inputs holds the values of every model input in C
	// order. The results, one slice for every output, and what observe is shown
	// of the watched tensors, are valid until the next Run. Tensors that the
	// session does not hold are not shown.
	Run(inputs [][]float32, observe func(tensor int, values []float32)) ([][]float32, error)
}

// Tensor describes an activation of a Model.
type Tensor struct {
	Index int // in the model's list of tensors
	Name  string
	Shape tensor.Shape
	Type  tensor.Type
}

// Size is the number of values.
func (t Tensor) Size() int {
	n, _ := t.Shape.Elements()
	return n
}

// Open loads a .tflite file: an integer one into package runtime, a float one,
// whose weights may be quantized, into a graph, or, where package graph lacks an
// operator, into package runtime too. Errors are those of the two packages.
func Open(file []byte) (Model, error) {
	r, err := runtime.Inspect(file, runtime.Options{})
	if r == nil {
		return nil, err
	}
	if IsInteger(r) {
		return Device(file)
	}
	m, err := openFloat(file)
	if errors.Is(err, graph.ErrUnsupported) {
		if device, loadErr := Device(file); loadErr == nil {
			return device, nil
		}
	}
	return m, err
}

// openFloat reads a file whose activations are real numbers; its weights may be
// quantized.
func openFloat(file []byte) (Model, error) {
	g, err := graph.FromTFLite(file)
	if err != nil {
		return nil, err
	}
	if g, err = g.Dequantize(); err != nil {
		return nil, err
	}
	return Float(g)
}

// IsInteger reports whether a model computes with integers, at least in part.
func IsInteger(r *runtime.Report) bool {
	for _, o := range r.Operators {
		for _, t := range o.Outputs {
			if t < 0 {
				continue
			}
			switch r.Tensors[t].TensorInfo.Type {
			case tensor.Int8, tensor.Uint8, tensor.Int16:
				return true
			}
		}
	}
	return false
}

// Logits is a tensor that an output is made of.
type Logits struct {
	Tensor
	By string // SOFTMAX, LOG_SOFTMAX, LOGISTIC, or "" where it is the output itself
}

// operator is what logits needs to know of one.
type operator struct {
	name            string
	inputs, outputs []int
}

// logits follows an output back to what its SOFTMAX, LOG_SOFTMAX or LOGISTIC
// takes, through operators that do not change values; without one it is output.
func logits(operators []operator, output int) (at int, by string) {
	at = output
	for _, o := range slices.Backward(operators) {
		if len(o.inputs) == 0 || !slices.Contains(o.outputs, at) {
			continue
		}
		switch o.name {
		case "SOFTMAX", "LOG_SOFTMAX", "LOGISTIC":
			return o.inputs[0], o.name
		case "QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "EXPAND_DIMS":
			at = o.inputs[0]
		default:
			return output, ""
		}
	}
	return output, ""
}

// parts are the lists that every Model has.
type parts struct {
	inputs, outputs, activations []Tensor
	logits                       []Logits
}

func (p *parts) Inputs() []Tensor      { return p.inputs }
func (p *parts) Outputs() []Tensor     { return p.outputs }
func (p *parts) Logits() []Logits      { return p.logits }
func (p *parts) Activations() []Tensor { return p.activations }

// newParts finds the model's tensors among its activations.
func newParts(activations []Tensor, inputs, outputs []int, operators []operator) (parts, error) {
	p := parts{activations: activations}
	if len(inputs) == 0 || len(outputs) == 0 {
		return p, fmt.Errorf("%w: %d inputs and %d outputs", ErrModel, len(inputs), len(outputs))
	}
	var err error
	if p.inputs, err = p.pick(inputs); err != nil {
		return p, err
	}
	if p.outputs, err = p.pick(outputs); err != nil {
		return p, err
	}
	for _, t := range outputs {
		at, by := logits(operators, t)
		found, err := p.pick([]int{at})
		if err != nil {
			return p, err
		}
		p.logits = append(p.logits, Logits{found[0], by})
	}
	return p, nil
}

// pick lists the activations with these indices, none of which is empty.
func (p *parts) pick(indices []int) ([]Tensor, error) {
	out := make([]Tensor, len(indices))
	for i, index := range indices {
		at := slices.IndexFunc(p.activations, func(t Tensor) bool { return t.Index == index })
		if at < 0 {
			return nil, fmt.Errorf("%w: tensor %d is not computed from the inputs", ErrModel, index)
		}
		if out[i] = p.activations[at]; out[i].Size() == 0 {
			return nil, fmt.Errorf("%w: %q has shape %v", ErrModel, out[i].Name, out[i].Shape)
		}
	}
	return out, nil
}
