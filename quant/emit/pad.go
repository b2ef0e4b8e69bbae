package emit

import (
	"fmt"
	"math"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// padOperands: the paddings are a matrix with a row (before, after) for each
// dimension.
func padOperands(n *node) []graph.TensorID {
	op := n.Op.(graph.Pad)
	var rows []int
	for i := range op.Before {
		rows = append(rows, op.Before[i], op.After[i])
	}
	return []graph.TensorID{n.Inputs[0], n.w.int32s(tensor.Shape{len(op.Before), 2}, rows)}
}

// padV2Operands adds the value, of the input's type and parameters.
func padV2Operands(n *node) []graph.TensorID {
	return append(padOperands(n), n.w.append(padValue(n.Op.(graph.Pad).Value, n.in(0), len(n.w.tensors))))
}

// padValue quantizes to the nearest integer in range: the lowest float32, which
// pads for a maximum, becomes the lowest integer.
func padValue(v float32, like *graph.Tensor, number int) graph.Tensor {
	t := graph.Tensor{Name: fmt.Sprintf("constant_%d", number), Shape: tensor.Shape{1}, Type: like.Type, Quant: like.Quant}
	if like.Type == tensor.Float32 {
		t.Float = []float32{v}
		return t
	}
	lo, hi, _ := like.Type.Range()
	q := math.RoundToEven(float64(v)/float64(like.Quant.Scale())) + float64(like.Quant.ZeroPoint())
	q = min(max(q, float64(lo)), float64(hi))
	if like.Type == tensor.Int16 {
		t.Int16 = []int16{int16(q)}
	} else {
		t.Int8 = []int8{int8(q)}
	}
	return t
}

func mirrorPadOptions(b *builder, n *node) (ref, error) {
	b.table()
	b.setBool(0, n.Op.(graph.Pad).Mode == graph.PadSymmetric)
	return b.end(), nil
}
