package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

func (Binary) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Binary) eval(*Executor, *Node) {}
func (Unary) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Unary) eval(*Executor, *Node) {}
func (LeakyReLU) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (LeakyReLU) eval(*Executor, *Node) {}
func (PReLU) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (PReLU) eval(*Executor, *Node) {}
func (LogSoftmax) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (LogSoftmax) eval(*Executor, *Node) {}
func (L2Normalization) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (L2Normalization) eval(*Executor, *Node) {}
func (Reshape) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Reshape) eval(*Executor, *Node) {}
func (Transpose) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Transpose) eval(*Executor, *Node) {}
func (Concatenation) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Concatenation) eval(*Executor, *Node) {}
func (Split) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Split) eval(*Executor, *Node) {}
func (StridedSlice) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (StridedSlice) eval(*Executor, *Node) {}
func (Pad) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Pad) eval(*Executor, *Node) {}
func (Resize) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Resize) eval(*Executor, *Node) {}
func (Reduce) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Reduce) eval(*Executor, *Node) {}
func (Quantize) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Quantize) eval(*Executor, *Node) {}
func (Dequantize) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Dequantize) eval(*Executor, *Node) {}
