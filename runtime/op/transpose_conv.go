package op

import (
	"cmp"
	"encoding/binary"
	"fmt"

	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// transposeConv is TRANSPOSE_CONV on NHWC, weights [outC, kh, kw, inC] of int8 or
// int4: every
// input pixel is spread over a window of the output, windows a stride apart, and
// what falls outside is dropped. The output's shape is its tensor's; the input
// that states it again is not read, as in the reference.
//
// int8 sums in 32 bits, with a bias of int32, and rounds twice; int16 sums in 64
// bits, with a bias of int16 or int64, and uses the short multiplier. Factors are
// per channel, in·w/out in float64. uint8 is int8 flipped, with weights of uint8
// and any zero point.
type transposeConv[T int8 | int16] struct {
	in, out int
	kernel.TransposeConv
	dead *deadChannels // of int8; nil for none
	run  func(c *kernel.TransposeConv, in, out []T)
}

func prepareTransposeConv(p *Prep) (Evaluator, error) {
	if err := p.arity(3, 4, 1); err != nil {
		return nil, err
	}
	w, in, out := p.in(1), p.in(2), p.out(0)
	if in.Type == tensor.Float32 {
		return p.realTransposeConv(in, w, out)
	}
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Uint8, tensor.Int16), p.types(out, in.Type),
		p.rank(in, 4), p.rank(w, 4), p.rank(out, 4),
		p.quantized(in), p.quantized(out), p.centered(in, out), p.filter(in, w, p.in(3), out),
	); err != nil {
		return nil, err
	}
	if err := p.signed(&in, &w, &out); err != nil {
		return nil, err
	}
	c := kernel.TransposeConv{InC: in.Shape[3], OutC: w.Shape[0], InZero: in.Quant.ZeroPoint(), WeightZero: w.Quant.ZeroPoint()}
	if err := cmp.Or(
		p.shape(w, tensor.Shape{c.OutC, w.Shape[1], w.Shape[2], c.InC}),
		p.shape(out, tensor.Shape{in.Shape[0], out.Shape[1], out.Shape[2], c.OutC}),
	); err != nil {
		return nil, err
	}
	var err error
	if c.Window, err = p.transposeWindow(in, w, out); err != nil {
		return nil, err
	}
	if c.Output, err = p.output(in, w, out, c.OutC, 0, activation(p.Operator.Options.Byte(3, 0))); err != nil {
		return nil, err
	}
	if c.Weights, err = p.weights(w); err != nil {
		return nil, err
	}
	p.MACs = int64(in.elements()) * int64(c.KernelH*c.KernelW) * int64(c.OutC)
	if in.Type == tensor.Int16 {
		if c.WideBias, err = p.transposeBias(p.in(3), c.OutC); err != nil {
			return nil, err
		}
		if err := p.short(w, c.Output); err != nil {
			return nil, err
		}
		return &transposeConv[int16]{in.id, out.id, c, nil, (*kernel.TransposeConv).Run16}, nil
	}
	if c.Bias, err = p.bias(p.in(3), c.OutC); err != nil {
		return nil, err
	}
	dead := p.dropDead(c.WeightZero, &c.Weights, &c.Bias, &c.Output)
	if dead != nil {
		c.OutC = dead.live
	}
	return p.unsigned(&transposeConv[int8]{in.id, out.id, c, dead, (*kernel.TransposeConv).Run8}, in, out), nil
}

// transposeWindow is the window with the padding that a convolution from the
// output's size back would have. Any input size goes with any output size.
func (p *Prep) transposeWindow(in, w, out operand) (kernel.Window, error) {
	o := p.Operator.Options
	win := kernel.Window{
		Batch: in.Shape[0], InH: in.Shape[1], InW: in.Shape[2], OutH: out.Shape[1], OutW: out.Shape[2],
		KernelH: w.Shape[1], KernelW: w.Shape[2], StrideH: int(o.Int32(2, 0)), StrideW: int(o.Int32(1, 0)),
		DilationH: 1, DilationW: 1,
	}
	if o.Byte(0, 0) > 1 {
		return win, p.invalid(operand{}, fmt.Sprintf("padding %d", o.Byte(0, 0)), "0 (SAME) or 1 (VALID)")
	}
	if win.StrideH <= 0 || win.StrideW <= 0 || max(win.StrideH, win.StrideW, win.OutH, win.OutW, win.KernelH, win.KernelW) > maxReach ||
		w.elements() == 0 {
		found := fmt.Sprintf("a %dx%d window, stride %dx%d, to %v", win.KernelH, win.KernelW, win.StrideH, win.StrideW, out.Shape)
		return win, p.invalid(w, found, "a window that fits")
	}
	same := o.Byte(0, 0) == 0
	top, okH := transposePadding(win.OutH, win.KernelH, win.StrideH, same)
	left, okW := transposePadding(win.OutW, win.KernelW, win.StrideW, same)
	if okH && okW {
		win.PadTop, win.PadLeft = top, left
	}
	return win, nil
}

// transposePadding is the padding before the first of the windows that fit along
// an axis. With VALID and a window larger than the axis by less than a stride
// the reference counts none (its division truncates) and arrives at some padding
// nevertheless; by more than that it gives up on the padding of both axes.
func transposePadding(size, kernel, stride int, same bool) (before int, ok bool) {
	n := size + stride - kernel
	if same {
		n = size + stride - 1
	}
	n /= stride
	return int(max(int64(n-1)*int64(stride)+int64(kernel)-int64(size), 0) / 2), n >= 0
}

// transposeBias is the bias for int16: int64, or int16 from older converters.
func (p *Prep) transposeBias(t operand, n int) ([]int64, error) {
	if !t.given() || t.Type != tensor.Int16 {
		if t.given() && t.Type == tensor.Int32 {
			return nil, p.types(t, tensor.Int64, tensor.Int16)
		}
		return p.wideBias(t, n)
	}
	if err := p.constant(t); err != nil {
		return nil, err
	}
	if t.elements() != n {
		return nil, p.invalid(t, fmt.Sprintf("%d values", t.elements()), fmt.Sprint(n))
	}
	if err := p.Budget.Spend(n, 8); err != nil {
		return nil, err
	}
	bias := make([]int64, n)
	for i := range bias {
		bias[i] = int64(int16(binary.LittleEndian.Uint16(t.Data[2*i:])))
	}
	return bias, nil
}

func (c *transposeConv[T]) Eval(m *Memory) {
	c.run(&c.TransposeConv, get[T](m, c.in), get[T](m, c.out))
	if c.dead != nil {
		c.dead.spread(get[int8](m, c.out))
	}
}
