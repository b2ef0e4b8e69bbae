package emit

import (
	"fmt"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// list is the number of a constant vector of int32 with those values.
func (n *node) list(values ...int) graph.TensorID {
	return n.w.int32s(tensor.Shape{len(values)}, values)
}

// int32s is the number of an int32 constant with that content. Equal ones are one
// tensor, also where the graph brings it, so that a file that is read and written
// again does not grow.
func (w *writer) int32s(shape tensor.Shape, values []int) graph.TensorID {
	data := make([]int32, len(values))
	for i, v := range values {
		data[i] = int32(v)
	}
	for i := range w.tensors {
		t := &w.tensors[i]
		if t.Int32 != nil && len(t.Quant.Scales) == 0 && t.Shape.Equal(shape) && slices.Equal(t.Int32, data) {
			return graph.TensorID(i)
		}
	}
	return w.append(graph.Tensor{Name: fmt.Sprintf("constant_%d", len(w.tensors)), Shape: shape, Type: tensor.Int32, Int32: data})
}

func (w *writer) append(t graph.Tensor) graph.TensorID {
	w.tensors = append(w.tensors, t)
	return graph.TensorID(len(w.tensors) - 1)
}
