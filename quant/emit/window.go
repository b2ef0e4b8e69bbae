package emit

import (
	"fmt"

	"kedge/quant/graph"
)

// Values of the schema's enumeration Padding.
const (
	paddingSame  = 0
	paddingValid = 1
)

// windowPadding names the padding of w over an image of h × width elements under
// a filter of fh × fw taps.
func windowPadding(w graph.Window, h, width, fh, fw int) (byte, error) {
	switch {
	case w.Pad == graph.Padding{}:
		return paddingValid, nil
	case w == w.Same(h, width, fh, fw):
		return paddingSame, nil
	}
	return 0, fmt.Errorf("%w: padding %+v on %dx%d is neither SAME nor VALID, put a PAD before it (pass.Lower)", ErrUnsupported, w.Pad, h, width)
}

// strides writes what the options of all windows begin with.
func (b *builder) strides(padding byte, w graph.Window) {
	b.table()
	b.setByte(0, padding)
	b.setU32(1, uint32(w.StrideW))
	b.setU32(2, uint32(w.StrideH))
}

func conv2DOptions(b *builder, n *node) (ref, error) {
	op, x, f := n.Op.(graph.Conv2D), n.in(0).Shape, n.in(1).Shape
	padding, err := windowPadding(op.Window, x[1], x[2], f[1], f[2])
	if err != nil {
		return 0, err
	}
	b.strides(padding, op.Window)
	b.setByte(3, byte(op.Activation))
	b.setU32(4, uint32(op.Window.DilationW))
	b.setU32(5, uint32(op.Window.DilationH))
	return b.end(), nil
}

// conv2DVersion: the converter's own table misses int16 activations with int8
// weights and would say 1; 4 is the version that brought int16.
func conv2DVersion(n *node) int {
	return weighted(n, 1, 3, 4, hybridVersion(n, 2, 5))
}

func hybridVersion(n *node, perTensor, perChannel int) int {
	if n.in(1).Quant.PerChannel() {
		return perChannel
	}
	return perTensor
}

func depthwiseConv2DOptions(b *builder, n *node) (ref, error) {
	op, x, f := n.Op.(graph.DepthwiseConv2D), n.in(0).Shape, n.in(1).Shape
	padding, err := windowPadding(op.Window, x[1], x[2], f[1], f[2])
	if err != nil {
		return 0, err
	}
	b.strides(padding, op.Window)
	b.setU32(3, uint32(op.Multiplier))
	b.setByte(4, byte(op.Activation))
	b.setU32(5, uint32(op.Window.DilationW))
	b.setU32(6, uint32(op.Window.DilationH))
	return b.end(), nil
}

func depthwiseConv2DVersion(n *node) int {
	float := 1
	if w := n.Op.(graph.DepthwiseConv2D).Window; w.DilationH != 1 || w.DilationW != 1 {
		float = 2
	}
	return weighted(n, float, 3, 5, hybridVersion(n, 4, 6))
}

func averagePool2DOptions(b *builder, n *node) (ref, error) {
	op := n.Op.(graph.AveragePool2D)
	return pool2DOptions(b, n, op.Window, op.FilterH, op.FilterW, op.Activation)
}

func maxPool2DOptions(b *builder, n *node) (ref, error) {
	op := n.Op.(graph.MaxPool2D)
	return pool2DOptions(b, n, op.Window, op.FilterH, op.FilterW, op.Activation)
}

func pool2DOptions(b *builder, n *node, w graph.Window, fh, fw int, a graph.Activation) (ref, error) {
	x := n.in(0).Shape
	padding, err := windowPadding(w, x[1], x[2], fh, fw)
	if err != nil {
		return 0, err
	}
	b.strides(padding, w)
	b.setU32(3, uint32(fw))
	b.setU32(4, uint32(fh))
	b.setByte(5, byte(a))
	return b.end(), nil
}

// transposeConvOptions names the padding. TFLite computes it from the output as
// a convolution over that would: SAME is what such a convolution takes off at the
// top and left, VALID nothing.
func transposeConvOptions(b *builder, n *node) (ref, error) {
	op, f := n.Op.(graph.TransposeConv), n.in(1).Shape
	w := graph.Window{StrideH: op.StrideH, StrideW: op.StrideW, DilationH: 1, DilationW: 1}
	padding := byte(paddingValid)
	if op.PadTop != 0 || op.PadLeft != 0 {
		same := w.Same(op.OutputH, op.OutputW, f[1], f[2]).Pad
		if same.Top != op.PadTop || same.Left != op.PadLeft {
			return 0, fmt.Errorf("%w: padding top %d, left %d for %dx%d is neither SAME nor VALID, cut a larger result instead (pass.Lower)", ErrUnsupported, op.PadTop, op.PadLeft, op.OutputH, op.OutputW)
		}
		padding = paddingSame
	}
	b.strides(padding, w)
	b.setByte(3, byte(op.Activation))
	return b.end(), nil
}

// transposeConvOperands: output shape, weights, input, bias.
func transposeConvOperands(n *node) []graph.TensorID {
	y := n.out(0).Shape
	inputs := []graph.TensorID{n.list(y...), n.Inputs[1], n.Inputs[0]}
	return append(inputs, n.Inputs[2:]...)
}

func transposeConvVersion(n *node) int {
	version := weighted(n, 1, 2, 3, 0)
	if n.in(2) != nil {
		version = atLeast(3, version)
	}
	if n.Op.(graph.TransposeConv).Activation != graph.Linear {
		version = atLeast(4, version)
	}
	return version
}
