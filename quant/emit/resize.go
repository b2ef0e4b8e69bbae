package emit

import (
	"kedge/quant/graph"
)

// resizeOptions begins where the deprecated size ended for the bilinear one, which
// the nearest one never had.
func resizeOptions(b *builder, n *node) (ref, error) {
	op := n.Op.(graph.Resize)
	first := 0
	if op.Bilinear {
		first = 2
	}
	b.table()
	b.setBool(first, op.AlignCorners)
	b.setBool(first+1, op.HalfPixelCenters)
	return b.end(), nil
}

func resizeOperands(n *node) []graph.TensorID {
	y := n.out(0).Shape
	return []graph.TensorID{n.Inputs[0], n.list(y[1], y[2])}
}

// resizeVersion: 3 brought half-pixel centers to both and aligned corners to the
// nearest one.
func resizeVersion(n *node) int {
	op, version := n.Op.(graph.Resize), byType(1, 2, 4)(n)
	if op.HalfPixelCenters || op.AlignCorners && !op.Bilinear {
		return atLeast(3, version)
	}
	return version
}
