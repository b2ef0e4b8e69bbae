package emit

import (
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

func fullyConnectedOptions(b *builder, n *node) (ref, error) {
	op := n.Op.(graph.FullyConnected)
	b.table()
	b.setByte(0, byte(op.Activation))
	b.setBool(2, op.KeepDims)
	return b.end(), nil
}

// fullyConnectedVersion: 1 float, 3 hybrid, 4 int8, 5 keeping
// dimensions, 6 without bias, 7 int16, 8 sparse, 12 with a scale for each output
// channel. An interpreter before 12 would use the first channel's for all.
func fullyConnectedVersion(n *node) int {
	version := weighted(n, 1, 4, 7, 3)
	for _, c := range []struct {
		needed bool
		least  int
	}{
		{n.Op.(graph.FullyConnected).KeepDims, 5},
		{n.in(2) == nil, 6},
		{n.w.encodings[int(n.Inputs[1])] != nil, 8},
		{n.of(1, tensor.Int8) && n.in(1).Quant.PerChannel(), 12},
	} {
		if c.needed {
			version = atLeast(c.least, version)
		}
	}
	return version
}

func batchMatMulOptions(b *builder, n *node) (ref, error) {
	op := n.Op.(graph.BatchMatMul)
	b.table()
	b.setBool(0, op.AdjX)
	b.setBool(1, op.AdjY)
	return b.end(), nil
}
