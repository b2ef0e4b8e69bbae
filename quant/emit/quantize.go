package emit

import (
	"fmt"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// quantizeOptions has no fields but is where a result is refused that is not an
// integer tensor: the float executor's picture of a quantized tensor.
func quantizeOptions(b *builder, n *node) (ref, error) {
	op, y := n.Op.(graph.Quantize), n.out(0)
	if y.Type != op.To || len(y.Quant.Scales) == 0 {
		return 0, fmt.Errorf("%w: result is %v, want %v with quantization parameters", ErrUnsupported, y.Type, op.To)
	}
	return b.empty(), nil
}

func quantizeVersion(n *node) int {
	switch y := n.out(0); {
	case y.Quant.PerChannel():
		return 3
	case y.Type == tensor.Int16:
		return 2
	}
	return 1
}

func dequantizeVersion(n *node) int {
	x := n.in(0)
	switch {
	case x.Type == tensor.Int16:
		return 3
	case x.Type == tensor.Int8 && x.Quant.PerChannel():
		return 5
	case x.Type == tensor.Int8:
		return 2
	case x.Type == tensor.Uint8:
		return 1
	}
	return 0
}
