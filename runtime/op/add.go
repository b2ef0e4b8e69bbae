package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/fixed"
	"kedge/runtime/kernel"
	"kedge/runtime/tensor"
)

// addParams is the addition of quantized values: each input is shifted left,
// scaled to twice the larger input scale, and their sum scaled to the output.
// SUB takes the second input negated after its scaling. uint8 goes as int8. An
// output scale so small that the sum would have to be scaled up, where the
// reference aborts, is refused.
type addParams struct {
	subtract           bool
	xZero, yZero, zero int32
	shift              uint32 // 20 for bytes, 15 for int16
	x, y, out          fixed.Multiplier
	lo, hi             int32
}

// prepareAdd prepares ADD. Plain int32 wraps around; the reference leaves its fused
// activation out, unlike that of SUB and MUL.
func prepareAdd(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	act := activation(p.Operator.Options.Byte(0, 0))
	switch p.out(0).Type {
	case tensor.Float32:
		return p.realPair(act, func(x, y float32) float32 { return x + y })
	case tensor.Int32:
		return p.plainPair(actNone, func(x, y int32) int32 { return x + y })
	}
	return p.add(false)
}

// plainPair binds f, followed by fused activation a, to two inputs and an output
// of int32 that are not quantized.
func (p *Prep) plainPair(a activation, f func(x, y int32) int32) (Evaluator, error) {
	x, y, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(p.types(x, tensor.Int32), p.types(y, tensor.Int32), p.plain(x, y, out)); err != nil {
		return nil, err
	}
	lo, hi, err := p.clampPlain(a)
	if err != nil {
		return nil, err
	}
	return pair(p, func(x, y int32) int32 { return min(max(f(x, y), lo), hi) })
}

// add is ADD or SUB of quantized tensors; the operands have been counted.
func (p *Prep) add(subtract bool) (Evaluator, error) {
	x, y, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(out, tensor.Int8, tensor.Uint8, tensor.Int16, tensor.Int32, tensor.Float32), p.types(x, out.Type), p.types(y, out.Type),
		p.quantized(x), p.quantized(y), p.quantized(out),
	); err != nil {
		return nil, err
	}
	b, err := p.broadcast(x, y, out)
	if err != nil {
		return nil, err
	}
	params, err := p.addParams(x, y, out)
	if err != nil {
		return nil, err
	}
	params.subtract = subtract
	p.overwrites(0, 1)
	if out.Type == tensor.Int16 {
		return &addWide{x.id, y.id, out.id, b, params}, nil
	}
	if err := p.Budget.Spend(1, 2048); err != nil {
		return nil, err
	}
	sum := params.kernel(out.Type)
	p.Kernels.PrepareAdd(&sum)
	return &add{x.id, y.id, out.id, b, sum}, nil
}

// addParams computes the factors in float64, in the definition's order.
func (p *Prep) addParams(x, y, out operand) (addParams, error) {
	a := addParams{
		xZero: x.Quant.ZeroPoint(), yZero: y.Quant.ZeroPoint(), zero: out.Quant.ZeroPoint(), shift: 20,
	}
	if out.Type == tensor.Int16 {
		a.shift = 15
	}
	twiceMax := 2 * float64(max(x.Quant.Scale(), y.Quant.Scale()))
	a.x = fixed.Quantize(float64(x.Quant.Scale()) / twiceMax)
	a.y = fixed.Quantize(float64(y.Quant.Scale()) / twiceMax)
	unit := float64(int64(1)<<a.shift) * float64(out.Quant.Scale()) // a power of two times: exact
	factor := twiceMax / unit
	if factor >= 1 {
		return a, p.unsupported(out, fmt.Sprintf("scale %g", out.Quant.Scale()), fmt.Sprintf("one above %g for these inputs", twiceMax/float64(int64(1)<<a.shift)))
	}
	var err error
	if a.out, err = p.multiplier(out, factor); err != nil {
		return a, err
	}
	a.lo, a.hi, err = p.clamp(activation(p.Operator.Options.Byte(0, 0)), out)
	return a, err
}

// scaleX and scaleY bring one input to the common scale.
func (a *addParams) scaleX(v int32) int32 { return a.x.Apply((v - a.xZero) << a.shift) }

func (a *addParams) scaleY(v int32) int32 {
	scaled := a.y.Apply((v - a.yZero) << a.shift)
	if a.subtract {
		return -scaled
	}
	return scaled
}

// kernel is the addition of bytes.
func (a *addParams) kernel(t tensor.Type) kernel.Add {
	return kernel.Add{
		X: kernel.Addend{Zero: a.xZero, Factor: a.x}, Y: kernel.Addend{Zero: a.yZero, Factor: a.y, Negative: a.subtract},
		Unsigned: t == tensor.Uint8, Output: a.out, Zero: a.zero, Min: a.lo, Max: a.hi,
	}
}

// add is ADD or SUB for int8, or uint8 by the same bytes.
type add struct {
	x, y, out int
	broadcast
	kernel.Add
}

// Kernel names what computes it.
func (a *add) Kernel() string {
	if dx, dy := a.inner(); !a.same && (dx == 0 || dy == 0) {
		return "go"
	}
	return a.Add.Kernel()
}

func (a *add) Eval(m *Memory) {
	x, y, out := get[int8](m, a.x), get[int8](m, a.y), get[int8](m, a.out)
	if a.same {
		a.Add.RunShared(x, y, out, &m.Work)
		return
	}
	if dx, dy := a.inner(); dx == 1 && dy == 1 {
		a.rows(func(i, j, k, n int) { a.Add.Run(x[i:], y[j:], out[k:k+n]) })
		return
	}
	a.each(func(i, j, k int) { out[k] = a.At(x[i], y[j]) })
}

// addWide is ADD or SUB for int16.
type addWide struct {
	x, y, out int
	broadcast
	addParams
}

func (a *addWide) Eval(m *Memory) {
	x, y, out := get[int16](m, a.x), get[int16](m, a.y), get[int16](m, a.out)
	a.each(func(i, j, k int) {
		sum := a.scaleX(int32(x[i])) + a.scaleY(int32(y[j]))
		out[k] = int16(min(max(a.addParams.out.Apply(sum)+a.zero, a.lo), a.hi))
	})
}
