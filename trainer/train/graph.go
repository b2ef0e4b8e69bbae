package train

import (
	"context"
	"fmt"
	"slices"

	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/graph"
	"kedge/quant/ptq"
)

// Graph expresses d as a float graph: input (1, features), one FULLY_CONNECTED
// for each layer, SOFTMAX. The graph shares d's weights.
func (d *Dense) Graph() (*graph.Graph, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	g := &graph.Graph{Name: "main"}
	x := g.AddTensor(graph.Tensor{Name: "input", Shape: []int{1, d.Features()}})
	g.Inputs = []graph.TensorID{x}
	for i, l := range d.Layers {
		op, name := graph.FullyConnected{Activation: graph.ReLU}, fmt.Sprintf("dense%d", i)
		out := name
		if i == len(d.Layers)-1 {
			op.Activation, out = graph.Linear, "logits"
		}
		w := g.AddTensor(graph.Tensor{Name: name + "/weights", Shape: []int{l.Out, l.In}, Float: l.W})
		b := g.AddTensor(graph.Tensor{Name: name + "/bias", Shape: []int{l.Out}, Float: l.B})
		y := g.AddTensor(graph.Tensor{Name: out})
		g.AddNode(op, []graph.TensorID{x, w, b}, []graph.TensorID{y})
		x = y
	}
	p := g.AddTensor(graph.Tensor{Name: "probabilities"})
	g.AddNode(graph.Softmax{Beta: 1}, []graph.TensorID{x}, []graph.TensorID{p})
	g.Outputs = []graph.TensorID{p}
	if err := g.Infer(); err != nil {
		return nil, err
	}
	return g, nil
}

// FromGraph reads a float graph of the form that Graph makes: a chain of
// FULLY_CONNECTED with ReLU between them, at the end optionally SOFTMAX. Any
// other form is an error that matches ErrNetwork. The weights are copied.
func FromGraph(g *graph.Graph) (*Dense, error) {
	if len(g.Inputs) != 1 || len(g.Outputs) != 1 {
		return nil, fmt.Errorf("%w: %d inputs and %d outputs, want one of each", ErrNetwork, len(g.Inputs), len(g.Outputs))
	}
	d, at := &Dense{}, g.Inputs[0]
	linear, probabilities := false, false // what the chain ended in so far
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Inputs[0] != at {
			return nil, fmt.Errorf("%w: node %d does not continue the chain", ErrNetwork, i)
		}
		at = n.Outputs[0]
		switch op := n.Op.(type) {
		case graph.FullyConnected:
			if linear || probabilities {
				return nil, fmt.Errorf("%w: node %d follows a layer without ReLU", ErrNetwork, i)
			}
			if op.Activation != graph.Linear && op.Activation != graph.ReLU {
				return nil, fmt.Errorf("%w: node %d has a fused %v; the built-in trainer knows ReLU only", ErrNetwork, i, op.Activation)
			}
			if x, in := g.Tensor(n.Inputs[0]).Shape, g.Tensor(n.Inputs[1]).Shape[1]; len(x) != 2 || x[1] != in {
				return nil, fmt.Errorf("%w: node %d takes rows of %d from an input of shape %v", ErrNetwork, i, in, x)
			}
			linear = op.Activation == graph.Linear
			d.Layers = append(d.Layers, layerOf(g, op, n))
		case graph.Softmax:
			if !linear || probabilities || op.Beta != 1 {
				return nil, fmt.Errorf("%w: node %d is a SOFTMAX (beta %v) that does not follow the last layer", ErrNetwork, i, op.Beta)
			}
			probabilities = true
		default:
			return nil, fmt.Errorf("%w: node %d is %s; the built-in trainer knows dense layers only", ErrNetwork, i, n.Op.Name())
		}
	}
	if at != g.Outputs[0] || !linear {
		return nil, fmt.Errorf("%w: the last layer is not the output, or has a ReLU", ErrNetwork)
	}
	return d, d.Validate()
}

func layerOf(g *graph.Graph, op graph.FullyConnected, n *graph.Node) Layer {
	w := g.Tensor(n.Inputs[1])
	l := Layer{Out: w.Shape[0], In: w.Shape[1], W: slices.Clone(w.Float)}
	if b := op.Bias(g, n); b != nil {
		l.B = slices.Clone(b.Float)
	} else {
		l.B = make([]float32, l.Out)
	}
	return l
}

// FromTFLite reads a dense .tflite file, float or int8, as a starting point for
// Fit. From an int8 file come the real values of its quantized weights.
func FromTFLite(file []byte) (*Dense, error) {
	g, err := graph.FromTFLite(file)
	if err != nil {
		return nil, err
	}
	if g, err = g.Dequantize(); err != nil {
		return nil, err
	}
	return FromGraph(g)
}

// Float writes d as a float .tflite file.
func (d *Dense) Float(description string) ([]byte, error) {
	g, err := d.Graph()
	if err != nil {
		return nil, err
	}
	g.Description = description
	return emit.Model(g)
}

// Int8 writes d as an int8 .tflite file whose activation ranges are the
// minimum and maximum over calibration (rows of Features values, as the
// network will see them).
func (d *Dense) Int8(ctx context.Context, calibration []float32, description string) ([]byte, error) {
	g, err := d.Graph()
	if err != nil {
		return nil, err
	}
	g.Description = description
	seen, err := calib.Collect(ctx, g, [][]float32{calibration}, calib.Options{})
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
