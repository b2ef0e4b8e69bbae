package prune

import (
	"fmt"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Layer is a constant filter or matrix and the operator that it belongs to.
type Layer struct {
	Node    int            // the first operator that reads it
	Name    string         // of that operator's output tensor
	Op      string         // that operator's TFLite name
	Weights graph.TensorID // (out, …, in); DEPTHWISE_CONV_2D (1, h, w, out)
	Count   int            // of weights
	Zeros   int            // of them 0

	depthwise bool
}

// Layers lists the float weights of g, which passed Infer, in order of
// execution: those of CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and
// FULLY_CONNECTED. Weights that several operators share come once.
func Layers(g *graph.Graph) []Layer {
	var out []Layer
	seen := make([]bool, len(g.Tensors))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if !weighted(n.Op) || seen[n.Inputs[1]] {
			continue
		}
		w := g.Tensor(n.Inputs[1])
		if w.Type != tensor.Float32 || w.Float == nil {
			continue
		}
		seen[n.Inputs[1]] = true
		l := Layer{Node: i, Name: g.Tensor(n.Outputs[0]).Name, Op: n.Op.Name(), Weights: n.Inputs[1], Count: len(w.Float)}
		_, l.depthwise = n.Op.(graph.DepthwiseConv2D)
		for _, v := range w.Float {
			if v == 0 {
				l.Zeros++
			}
		}
		out = append(out, l)
	}
	return out
}

func weighted(op graph.Op) bool {
	switch op.(type) {
	case graph.Conv2D, graph.DepthwiseConv2D, graph.TransposeConv, graph.FullyConnected:
		return true
	}
	return false
}

// prunable lists the layers that are not excluded.
func prunable(g *graph.Graph, exclude []string) ([]Layer, error) {
	all := Layers(g)
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: no convolution or FULLY_CONNECTED has float weights", ErrNothing)
	}
	found := make(map[string]bool, len(exclude))
	for _, name := range exclude {
		found[name] = false
	}
	var out []Layer
	for _, l := range all {
		weights := g.Tensor(l.Weights).Name
		_, byName := found[l.Name]
		_, byWeights := found[weights]
		switch {
		case byName:
			found[l.Name] = true
		case byWeights:
			found[weights] = true
		default:
			out = append(out, l)
		}
	}
	for _, name := range exclude {
		if !found[name] {
			return nil, fmt.Errorf("%w: no layer to exclude is called %q; the first is %q", ErrOptions, name, all[0].Name)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: all layers are excluded", ErrNothing)
	}
	return out, nil
}
