package emit

import (
	"fmt"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

func reshapeOptions(b *builder, n *node) (ref, error) {
	shape := make([]int32, len(n.Op.(graph.Reshape).Shape))
	for i, d := range n.Op.(graph.Reshape).Shape {
		shape[i] = int32(d)
	}
	v := b.int32s(shape)
	b.table()
	b.setRef(0, v)
	return b.end(), nil
}

func reshapeOperands(n *node) []graph.TensorID {
	return []graph.TensorID{n.Inputs[0], n.list(n.Op.(graph.Reshape).Shape...)}
}

func transposeOperands(n *node) []graph.TensorID {
	return []graph.TensorID{n.Inputs[0], n.list(n.Op.(graph.Transpose).Perm...)}
}

func transposeVersion(n *node) int {
	version := byType(1, 2, 5)(n)
	switch rank := n.rank(); {
	case rank > 6:
		return atLeast(8, version)
	case rank > 5:
		return atLeast(6, version)
	case rank > 4:
		return atLeast(4, version)
	}
	return version
}

func concatenationOptions(b *builder, n *node) (ref, error) {
	op := n.Op.(graph.Concatenation)
	if op.Activation != graph.Linear {
		return 0, fmt.Errorf("%w: fused %v, TFLite's operator has none", ErrUnsupported, op.Activation)
	}
	b.table()
	b.setU32(0, uint32(op.Axis))
	b.setByte(1, byte(op.Activation))
	return b.end(), nil
}

func splitOptions(b *builder, n *node) (ref, error) {
	b.table()
	b.setU32(0, uint32(len(n.Outputs)))
	return b.end(), nil
}

// splitOperands: the axis comes first.
func splitOperands(n *node) []graph.TensorID {
	return []graph.TensorID{n.scalar(n.Op.(graph.Split).Axis), n.Inputs[0]}
}

func splitVOperands(n *node) []graph.TensorID {
	op := n.Op.(graph.Split)
	return []graph.TensorID{n.Inputs[0], n.list(op.Sizes...), n.scalar(op.Axis)}
}

// scalar is the number of an int32 constant without dimensions.
func (n *node) scalar(v int) graph.TensorID { return n.w.int32s(tensor.Shape{}, []int{v}) }

func sliceOperands(n *node) []graph.TensorID {
	op := n.Op.(graph.StridedSlice)
	return []graph.TensorID{n.Inputs[0], n.list(op.Begin...), n.list(op.Count...)}
}

// sliceEnds gives the first element behind each dimension's last one, in the
// direction of its stride. In front of element 0 there is none to name (−1 means
// the last one): such dimensions are in the mask, which means "as far as it goes".
func sliceEnds(op graph.StridedSlice) (ends []int, mask uint32) {
	ends = make([]int, len(op.Begin))
	for i, s := range op.Stride {
		last := op.Begin[i] + (op.Count[i]-1)*s
		switch {
		case s > 0:
			ends[i] = last + 1
		case last > 0:
			ends[i] = last - 1
		default:
			mask |= 1 << i
		}
	}
	return ends, mask
}

func stridedSliceOptions(b *builder, n *node) (ref, error) {
	_, mask := sliceEnds(n.Op.(graph.StridedSlice))
	b.table()
	b.setU32(0, 0) // begin_mask
	b.setU32(1, mask)
	return b.end(), nil
}

func stridedSliceOperands(n *node) []graph.TensorID {
	op := n.Op.(graph.StridedSlice)
	ends, _ := sliceEnds(op)
	return []graph.TensorID{n.Inputs[0], n.list(op.Begin...), n.list(ends...), n.list(op.Stride...)}
}
