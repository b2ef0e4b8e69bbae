package pass

import (
	"fmt"
	"math"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Lower returns a graph that computes the same as g, a float graph that passed
// Infer, and whose windows a .tflite file can name: every padding is SAME or
// VALID. Other borders become operators of their own: PAD before convolutions
// and pools, a multiplication after average pools (a border element does not
// count, which their fixed divisor cannot say), a larger result that is cut
// after transposed convolutions.
//
// It comes after Simplify, which merges such borders into windows, and before
// calibration, because the new activations need ranges. Tensors may be renumbered.
func Lower(g *graph.Graph) (*graph.Graph, []Change, error) {
	out := g.Clone()
	c, err := apply(pass{"padding to operators", lowerWindows}, out)
	if err != nil || c == nil {
		return out, nil, err
	}
	return out, []Change{*c}, nil
}

// lowering is one Lower at work.
type lowering struct {
	*editor
	ranges []clamp
	padded map[padKey]graph.TensorID
}

// padKey is a padded activation. Layers that read the same share it. Pads are
// their description, because their fields are slices.
type padKey struct {
	x    graph.TensorID
	what string
}

func lowerWindows(e *editor) error {
	l := &lowering{e, bounds(e.g), make(map[padKey]graph.TensorID)}
	for i := range len(e.g.Nodes) {
		switch op := e.g.Nodes[i].Op.(type) {
		case graph.Conv2D:
			if l.convolution(i, op.Window) {
				op.Window.Pad = graph.Padding{}
				e.g.Nodes[i].Op = op
			}
		case graph.DepthwiseConv2D:
			if l.convolution(i, op.Window) {
				op.Window.Pad = graph.Padding{}
				e.g.Nodes[i].Op = op
			}
		case graph.MaxPool2D:
			if !l.named(i, op.Window, op.FilterH, op.FilterW) {
				l.maxPool(i, op)
			}
		case graph.AveragePool2D:
			if !l.named(i, op.Window, op.FilterH, op.FilterW) {
				l.averagePool(i, op)
			}
		case graph.TransposeConv:
			l.transposeConv(i, op)
		}
	}
	return nil
}

// named reports whether TFLite has a name for the padding of node i's window.
func (l *lowering) named(i int, w graph.Window, fh, fw int) bool {
	x := l.g.Tensor(l.g.Nodes[i].Inputs[0]).Shape
	return w.Pad == graph.Padding{} || w == w.Same(x[1], x[2], fh, fw)
}

// convolution puts zeros before node i where its window has no name, and reports
// that its padding has to go.
func (l *lowering) convolution(i int, w graph.Window) bool {
	f := l.g.Tensor(l.g.Nodes[i].Inputs[1]).Shape
	if l.named(i, w, f[1], f[2]) {
		return false
	}
	l.pad(i, w.Pad, 0)
	return true
}

// pad puts a border of value before node i.
func (l *lowering) pad(i int, p graph.Padding, value float32) {
	l.border(i, graph.Pad{Before: []int{0, p.Top, p.Left, 0}, After: []int{0, p.Bottom, p.Right, 0}, Value: value})
}

func (l *lowering) border(i int, op graph.Pad) {
	x := l.g.Nodes[i].Inputs[0]
	l.note("%s before %s", op.Name(), l.describe(i))
	key := padKey{x, fmt.Sprint(op)}
	y, known := l.padded[key]
	if !known {
		shape := append(tensor.Shape(nil), l.g.Tensor(x).Shape...)
		for d := range shape {
			shape[d] += op.Before[d] + op.After[d]
		}
		y = l.tensor(graph.Tensor{Name: l.g.Tensor(x).Name + "/pad", Shape: shape, Type: tensor.Float32})
		l.add(op, []graph.TensorID{x}, []graph.TensorID{y})
		l.padded[key] = y
	}
	l.rewire(i, 0, y)
}

// maxPool chooses a border that is never greater than what its window sees: zeros
// around values that are not negative; the image mirrored where the border is at
// most half the filter, so that a window sees an element whenever it sees its
// reflection; else the lowest number. The first two leave the range of values as
// it is, which integers need.
func (l *lowering) maxPool(i int, op graph.MaxPool2D) {
	p := op.Window.Pad
	switch x := l.g.Nodes[i].Inputs[0]; {
	case l.ranges[x].lo >= 0:
		l.pad(i, p, 0)
	case 2*max(p.Top, p.Bottom) <= op.FilterH && 2*max(p.Left, p.Right) <= op.FilterW && l.mirrors(x, p):
		l.border(i, graph.Pad{Before: []int{0, p.Top, p.Left, 0}, After: []int{0, p.Bottom, p.Right, 0}, Mode: graph.PadSymmetric})
	default:
		l.pad(i, p, -math.MaxFloat32)
	}
	op.Window.Pad = graph.Padding{}
	l.g.Nodes[i].Op = op
}

// mirrors reports whether the image is large enough for its border.
func (l *lowering) mirrors(x graph.TensorID, p graph.Padding) bool {
	s := l.g.Tensor(x).Shape
	return max(p.Top, p.Bottom) <= s[1] && max(p.Left, p.Right) <= s[2]
}

// averagePool divides zeros and elements by the whole filter and corrects that:
// times FilterH·FilterW over the number of elements that the window really sees.
func (l *lowering) averagePool(i int, op graph.AveragePool2D) {
	n := &l.g.Nodes[i]
	x, y := l.g.Tensor(n.Inputs[0]).Shape, n.Outputs[0]
	shape := l.g.Tensor(y).Shape
	rows := seen(shape[1], x[1], op.Window.StrideH, op.FilterH, op.Window.Pad.Top)
	columns := seen(shape[2], x[2], op.Window.StrideW, op.FilterW, op.Window.Pad.Left)
	factors := make([]float32, 0, len(rows)*len(columns))
	for _, r := range rows {
		for _, c := range columns {
			factors = append(factors, float32(op.FilterH*op.FilterW)/float32(r*c))
		}
	}
	l.pad(i, op.Window.Pad, 0)
	whole := l.activation(y, append(tensor.Shape(nil), shape...))
	l.g.Tensor(whole).Name += "/whole"
	k := l.constant(y, tensor.Shape{1, shape[1], shape[2], 1}, factors)
	l.g.Tensor(k).Name += "/factors"
	l.add(graph.Binary{Kind: graph.Mul, Activation: op.Activation}, []graph.TensorID{whole, k}, []graph.TensorID{y})
	op.Activation, op.Window.Pad = graph.Linear, graph.Padding{}
	l.setOutput(i, op, whole)
}

// seen counts, for each of n windows along a dimension, the elements within it.
func seen(n, size, stride, filter, before int) []int {
	counts := make([]int, n)
	for i := range counts {
		first := i*stride - before
		counts[i] = min(first+filter, size) - max(first, 0)
	}
	return counts
}

// setOutput makes node i compute op into id; another node computes what it did.
func (l *lowering) setOutput(i int, op graph.Op, id graph.TensorID) {
	l.g.Nodes[i].Op, l.g.Nodes[i].Outputs = op, []graph.TensorID{id}
	l.producer[id] = i
}

// transposeConv computes all rows and columns that the taps reach, and those asked
// for beyond them, and cuts the part that is wanted.
func (l *lowering) transposeConv(i int, op graph.TransposeConv) {
	n := &l.g.Nodes[i]
	x, f, y := l.g.Tensor(n.Inputs[0]).Shape, l.g.Tensor(n.Inputs[1]).Shape, n.Outputs[0]
	w := graph.Window{StrideH: op.StrideH, StrideW: op.StrideW, DilationH: 1, DilationW: 1}
	same := w.Same(op.OutputH, op.OutputW, f[1], f[2]).Pad
	if op.PadTop == 0 && op.PadLeft == 0 || op.PadTop == same.Top && op.PadLeft == same.Left {
		return
	}
	l.note("SLICE after %s", l.describe(i))
	h := max((x[1]-1)*op.StrideH+f[1], op.PadTop+op.OutputH)
	width := max((x[2]-1)*op.StrideW+f[2], op.PadLeft+op.OutputW)
	whole := l.activation(y, tensor.Shape{x[0], h, width, f[0]})
	l.g.Tensor(whole).Name += "/whole"
	l.add(graph.StridedSlice{
		Begin:  []int{0, op.PadTop, op.PadLeft, 0},
		Count:  []int{x[0], op.OutputH, op.OutputW, f[0]},
		Stride: []int{1, 1, 1, 1},
	}, []graph.TensorID{whole}, []graph.TensorID{y})
	op.PadTop, op.PadLeft, op.OutputH, op.OutputW = 0, 0, h, width
	l.setOutput(i, op, whole)
}
