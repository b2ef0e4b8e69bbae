package emit

import "kedge/quant/graph"

func reduceOptions(b *builder, n *node) (ref, error) {
	b.table()
	b.setBool(0, n.Op.(graph.Reduce).KeepDims)
	return b.end(), nil
}

func reduceOperands(n *node) []graph.TensorID {
	return []graph.TensorID{n.Inputs[0], n.list(n.Op.(graph.Reduce).Axes...)}
}
