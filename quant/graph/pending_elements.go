package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

func (Quantize) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Quantize) eval(*Executor, *Node) {}
func (Dequantize) infer(*Graph, *Node) ([]tensor.Shape, error) {
	return nil, fmt.Errorf("%w: not yet", ErrUnsupported)
}
func (Dequantize) eval(*Executor, *Node) {}
