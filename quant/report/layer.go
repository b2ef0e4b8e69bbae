package report

import (
	"context"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Layer is one operator of the float network, its first result, and what computes
// the same in the integer model.
type Layer struct {
	Index    int    `json:"index"` // of the operator in the float network
	Operator string `json:"operator"`
	Name     string `json:"name"` // of the result
	Shape    []int  `json:"shape"`
	MACs     int64  `json:"macs"`

	Min       float32  `json:"float_min"` // the extremes of the float network
	Max       float32  `json:"float_max"`
	Histogram []uint64 `json:"histogram"` // of its values from HistogramMin to HistogramMax, zeros included
	HistMin   float64  `json:"histogram_min"`
	HistMax   float64  `json:"histogram_max"`

	Type      string   `json:"dtype"` // in the integer model; empty where it has no such tensor
	Scale     *float32 `json:"scale"` // this and what follows: nil where it is not quantized
	ZeroPoint *int32   `json:"zero_point"`
	QuantMin  *float64 `json:"quantized_min"` // the real values that its type can hold
	QuantMax  *float64 `json:"quantized_max"`
	Clipped   *float64 `json:"clipped"` // share of the float values outside, to within a bin of calib.Bins

	Weights *Weights `json:"weights"`

	SQNR *float64 `json:"sqnr_db"` // of the result; nil where nothing differs or it was not compared
	// Sensitivity is the logits' ratio when this layer alone is kept in float; Gain
	// what that is above Report.Baseline.
	Sensitivity *float64 `json:"sensitivity_db"`
	Gain        *float64 `json:"sensitivity_gain_db"`
	// Instructions is the estimate of one inference by board, in the order of
	// Report.Boards; nil where no coefficients were measured.
	Instructions []float64 `json:"instructions"`

	outliers spread
	input    *float64 // ratio of the worst input; nil where it was not compared
}

// layers describes every node but conversions.
func (m *making) layers(context.Context) error {
	_, costs := m.Float.Cost()
	m.report.Layers, m.layerOfNode = []Layer{}, map[int]int{}
	for i := range m.Float.Nodes {
		n := &m.Float.Nodes[i]
		if len(n.Outputs) == 0 || isConversion(n.Op) {
			continue
		}
		id := n.Outputs[0]
		t := m.Float.Tensor(id)
		l := Layer{Index: i, Operator: n.Op.Name(), Name: t.Name, Shape: append([]int{}, t.Shape...), MACs: costs[i].MACs, SQNR: m.sqnr[int(id)]}
		l.input = m.worstInput(n)
		l.quantization(m.partnerOutput(i))
		if s := m.Statistics.Tensor(id); s != nil {
			l.distribution(s)
		}
		l.Weights = m.weights(i)
		m.layerOfNode[i] = len(m.report.Layers)
		m.report.Layers = append(m.report.Layers, l)
	}
	return nil
}

func isConversion(op graph.Op) bool {
	switch op.(type) {
	case graph.Quantize, graph.Dequantize:
		return true
	}
	return false
}

// worstInput is the lowest ratio of what a node reads.
func (m *making) worstInput(n *graph.Node) *float64 {
	var worst *float64
	for _, id := range n.Inputs {
		if id == graph.None {
			continue
		}
		if v := m.sqnr[int(id)]; v != nil && (worst == nil || *v < *worst) {
			worst = v
		}
	}
	return worst
}

// partnerOutput is the integer model's tensor for a node's first result; nil for
// none.
func (m *making) partnerOutput(node int) *graph.Tensor {
	if p := m.partner[node]; p >= 0 {
		return m.integer.Tensor(m.integer.Nodes[p].Outputs[0])
	}
	return nil
}

// quantization takes in the integer model's parameters.
func (l *Layer) quantization(t *graph.Tensor) {
	if t == nil {
		return
	}
	l.Type = t.Type.String()
	lo, hi, ok := t.Type.Range()
	if !ok || len(t.Quant.Scales) != 1 || t.Type == tensor.Int32 {
		return
	}
	scale, zero := t.Quant.Scale(), t.Quant.ZeroPoint()
	l.Scale, l.ZeroPoint = &scale, &zero
	l.QuantMin = finite(float64(scale) * (float64(lo) - float64(zero)))
	l.QuantMax = finite(float64(scale) * (float64(hi) - float64(zero)))
}

// partners matches the nodes of a float network with those of an integer one: in
// order where both have the same operators, conversions left out, otherwise by
// the names of their results where these are unique.
func partners(float, integer *graph.Graph) []int {
	out := make([]int, len(float.Nodes))
	a, b := computing(float), computing(integer)
	same := len(a) == len(b)
	for i := 0; same && i < len(a); i++ {
		x, y := &float.Nodes[a[i]], &integer.Nodes[b[i]]
		same = x.Op.Name() == y.Op.Name() && float.Tensor(x.Outputs[0]).Shape.Equal(integer.Tensor(y.Outputs[0]).Shape)
	}
	names := byOutput(integer, b)
	ours := byOutput(float, a)
	for i := range out {
		out[i] = -1
	}
	for k, i := range a {
		name := float.Tensor(float.Nodes[i].Outputs[0]).Name
		if same {
			out[i] = b[k]
		} else if at, ok := names[name]; ok && ours[name] == i {
			out[i] = at
		}
	}
	return out
}

// computing lists the nodes that are no conversions.
func computing(g *graph.Graph) []int {
	var out []int
	for i := range g.Nodes {
		if len(g.Nodes[i].Outputs) > 0 && !isConversion(g.Nodes[i].Op) {
			out = append(out, i)
		}
	}
	return out
}

// byOutput finds nodes by their first result's name; −1 where several have it.
func byOutput(g *graph.Graph, nodes []int) map[string]int {
	out := map[string]int{}
	for _, i := range nodes {
		name := g.Tensor(g.Nodes[i].Outputs[0]).Name
		if _, twice := out[name]; twice {
			out[name] = -1
		} else {
			out[name] = i
		}
	}
	return out
}
