package report

import (
	"math"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Weights are those of one layer.
type Weights struct {
	Count int `json:"count"`
	// Ranges are the greatest magnitudes of every output channel of the float
	// filter.
	Ranges []float32 `json:"channel_ranges"`
	Scales []float32 `json:"scales"` // of the integer model: one, or one for every channel
	Type   string    `json:"dtype"`  // there
	// Spread is the greatest of Ranges in parts of the least that is no dead
	// channel (below a millionth of the greatest).
	Spread *float64 `json:"spread"`
}

// weights describes a node's filter or matrix; nil where it has none.
func (m *making) weights(node int) *Weights {
	n := &m.Float.Nodes[node]
	axis, ok := channelAxis(n.Op)
	if !ok || len(n.Inputs) < 2 || n.Inputs[1] == graph.None {
		return nil
	}
	t := m.Float.Tensor(n.Inputs[1])
	if len(t.Float) == 0 || len(t.Shape) <= axis {
		return nil
	}
	w := &Weights{Count: len(t.Float), Ranges: channelRanges(t.Float, t.Shape, axis), Scales: []float32{}}
	w.Spread = spreadOf(w.Ranges)
	if p := m.partner[node]; p >= 0 {
		q := &m.integer.Nodes[p]
		if len(q.Inputs) > 1 && q.Inputs[1] != graph.None {
			filter := m.integer.Tensor(q.Inputs[1])
			w.Type, w.Scales = filter.Type.String(), append(w.Scales, filter.Quant.Scales...)
		}
	}
	return w
}

// channelAxis is the axis of a filter that counts output channels.
func channelAxis(op graph.Op) (int, bool) {
	switch op.(type) {
	case graph.Conv2D, graph.FullyConnected, graph.TransposeConv:
		return 0, true
	case graph.DepthwiseConv2D:
		return 3, true
	}
	return 0, false
}

func channelRanges(values []float32, shape tensor.Shape, axis int) []float32 {
	out := make([]float32, shape[axis])
	inner, _ := shape[axis+1:].Elements()
	for i, v := range values {
		c := i / max(inner, 1) % len(out)
		out[c] = max(out[c], float32(math.Abs(float64(v))))
	}
	return out
}

// spreadOf compares the widest channel with the narrowest that does something.
func spreadOf(ranges []float32) *float64 {
	if len(ranges) == 0 {
		return nil
	}
	widest := slices.Max(ranges)
	least := widest
	for _, r := range ranges {
		if r > widest*1e-6 {
			least = min(least, r)
		}
	}
	return finite(float64(widest) / float64(least))
}
