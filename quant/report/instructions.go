package report

import (
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Board is a class of processors and what one inference takes there.
type Board struct {
	Name         string  `json:"name"`
	Kernels      string  `json:"kernels"`
	Instructions float64 `json:"instructions"` // of all integer operators, estimated
	Error        float64 `json:"error"`        // greatest relative error of such estimates, see worstError
}

// board holds coefficients: instructions for one multiplication or element.
type board struct {
	name, kernels string
	conv          float64 // CONV_2D and TRANSPOSE_CONV, each MAC
	output        float64 // and each element of the result
	depthwise     float64 // DEPTHWISE_CONV_2D, each MAC
	dense         float64 // FULLY_CONNECTED and BATCH_MATMUL, each MAC
	element       float64 // any other, each element read or written, whichever are more
}

// boardClasses are least-squares fits, with no negative coefficient, of the
// relative errors over the seven int8 models whose instructions are counted under
// emulation in docs/insns.md. The test holds them against that file: where the
// kernels change, fit again.
var boardClasses = []board{
	{"Cortex-A53", "neon", 0.242, 0.155, 0.739, 0.265, 1.555},
	{"Cortex-A72", "neon", 0.241, 0.312, 0.728, 0.266, 1.522},
	{"Cortex-A76", "dotprod", 0.095, 0.199, 0.658, 0.129, 1.379},
	{"Cortex-A7", "neon32", 0.252, 0, 1.150, 0.362, 5.856},
	{"RISC-V, 128-bit vectors", "rvv128", 0.118, 1.220, 0.225, 0.232, 1.572},
	{"RISC-V, no vectors", "generic", 2.786, 0, 18.491, 2.327, 41.375},
}

// worstError is the greatest relative error of the fits on the models that they
// were made from; the test keeps it true.
const worstError = 0.20

// boards estimates the integer model.
func (m *making) boards() {
	m.report.Boards = []Board{}
	for _, b := range boardClasses {
		m.report.Boards = append(m.report.Boards, Board{b.name, b.kernels, b.total(m.integer), worstError})
	}
	_, costs := m.integer.Cost()
	for node, p := range m.partner {
		at, ok := m.layerOfNode[node]
		if !ok || p < 0 || !covered(m.integer, &m.integer.Nodes[p]) {
			continue
		}
		for _, b := range boardClasses {
			m.report.Layers[at].Instructions = append(m.report.Layers[at].Instructions, b.estimate(m.integer, p, costs[p].MACs))
		}
	}
}

// total is the estimate of all operators with measured coefficients.
func (b *board) total(g *graph.Graph) float64 {
	_, costs := g.Cost()
	sum := 0.0
	for i := range g.Nodes {
		if covered(g, &g.Nodes[i]) {
			sum += b.estimate(g, i, costs[i].MACs)
		}
	}
	return sum
}

// covered reports whether a node is like those that were measured: int8, or a
// conversion to or from it. Filters are int8 beside int16 activations too.
func covered(g *graph.Graph, n *graph.Node) bool {
	for _, id := range n.Inputs {
		if id != graph.None && g.Tensor(id).Type == tensor.Int8 && !g.Tensor(id).IsConstant() {
			return true
		}
	}
	return len(n.Outputs) > 0 && g.Tensor(n.Outputs[0]).Type == tensor.Int8
}

func (b *board) estimate(g *graph.Graph, node int, macs int64) float64 {
	n := &g.Nodes[node]
	out := size(g, n.Outputs[0])
	switch n.Op.(type) {
	case graph.Conv2D, graph.TransposeConv:
		return b.conv*float64(macs) + b.output*out
	case graph.DepthwiseConv2D:
		return b.depthwise * float64(macs)
	case graph.FullyConnected, graph.BatchMatMul:
		return b.dense * float64(macs)
	case graph.Reshape:
		return 0 // nothing is moved
	}
	most := out
	for _, id := range n.Inputs {
		if id != graph.None && !g.Tensor(id).IsConstant() {
			most = max(most, size(g, id))
		}
	}
	return b.element * most
}

func size(g *graph.Graph, id graph.TensorID) float64 {
	n, _ := g.Tensor(id).Shape.Elements()
	return float64(n)
}
