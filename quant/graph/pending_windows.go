package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

func (Conv2D) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Conv2D) eval(*Executor, *Node) {}
func (DepthwiseConv2D) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (DepthwiseConv2D) eval(*Executor, *Node) {}
func (TransposeConv) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (TransposeConv) eval(*Executor, *Node) {}
func (BatchMatMul) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (BatchMatMul) eval(*Executor, *Node) {}
func (AveragePool2D) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (AveragePool2D) eval(*Executor, *Node) {}
func (MaxPool2D) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (MaxPool2D) eval(*Executor, *Node) {}
