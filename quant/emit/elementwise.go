package emit

import (
	"fmt"
	"math"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// activationOptions is a table whose first field is the fused activation: MUL, DIV.
func activationOptions(b *builder, n *node) (ref, error) {
	b.table()
	b.setByte(0, byte(n.Op.(graph.Binary).Activation))
	return b.end(), nil
}

// addOptions also serves SUB. int16 needs pot_scale_int16 (scales are powers of two),
// which is true when absent, to be false.
func addOptions(b *builder, n *node) (ref, error) {
	b.table()
	b.setByte(0, byte(n.Op.(graph.Binary).Activation))
	if n.of(0, tensor.Int16) {
		b.setByte(1, 0)
	}
	return b.end(), nil
}

// plainBinaryOptions is for the operators that fuse nothing.
func plainBinaryOptions(b *builder, n *node) (ref, error) {
	if a := n.Op.(graph.Binary).Activation; a != graph.Linear {
		return 0, fmt.Errorf("%w: fused %v, TFLite's operator has none", ErrUnsupported, a)
	}
	return b.empty(), nil
}

// mulVersion: 3 where the product's scale is at least that of the output, which the
// first int8 kernels could not do.
func mulVersion(n *node) int {
	version := byType(1, 2, 4)(n)
	x, y, z := n.in(0).Quant, n.in(1).Quant, n.out(0).Quant
	if n.of(0, tensor.Int8) && z.Scale() != 0 && x.Scale()*y.Scale()/z.Scale() >= 1 {
		return atLeast(3, version)
	}
	return version
}

func geluOptions(b *builder, _ *node) (ref, error) {
	b.table()
	b.setBool(0, false) // approximate
	return b.end(), nil
}

func leakyReLUOptions(b *builder, n *node) (ref, error) {
	b.table()
	b.setU32(0, math.Float32bits(n.Op.(graph.LeakyReLU).Alpha))
	return b.end(), nil
}

func softmaxOptions(b *builder, n *node) (ref, error) {
	b.table()
	b.setU32(0, math.Float32bits(n.Op.(graph.Softmax).Beta))
	return b.end(), nil
}

func l2NormalizationOptions(b *builder, _ *node) (ref, error) {
	b.table()
	b.setByte(0, byte(graph.Linear))
	return b.end(), nil
}
