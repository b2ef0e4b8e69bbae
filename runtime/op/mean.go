package op

import (
	"cmp"
	"fmt"
	"math/bits"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// mean is MEAN: sums over the reduced dimensions in int32, then one
// requantization whose multiplier holds the division.
type mean[T int8 | int16] struct {
	in, out int
	reduction
	m            fixed.Multiplier
	offset       int32 // zero point times number of cells, modulo 2^32
	zero, lo, hi int32
}

func prepareMean(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, axes, out := p.in(0), p.in(1), p.out(0)
	if err := cmp.Or(
		p.types(in, tensor.Int8, tensor.Int16), p.types(out, in.Type),
		p.quantized(in), p.quantized(out),
		p.types(axes, tensor.Int32), p.constant(axes),
	); err != nil {
		return nil, err
	}
	r, err := p.reduction(in, axes, out)
	if err != nil {
		return nil, err
	}
	if r.cells == 0 {
		return nil, p.invalid(in, fmt.Sprintf("shape %v", in.Shape), "elements to average")
	}
	m, err := p.multiplier(in, float64(in.Quant.Scale())/float64(out.Quant.Scale()))
	if err != nil {
		return nil, err
	}
	m = divideMultiplier(m, r.cells)
	lo, hi, _ := out.Type.Range()
	p.Scratch = 4 * r.outputs
	offset := int32(int64(in.Quant.ZeroPoint()) * int64(r.cells))
	if in.Type == tensor.Int16 {
		return &mean[int16]{in.id, out.id, r, m, offset, out.Quant.ZeroPoint(), lo, hi}, nil
	}
	return &mean[int8]{in.id, out.id, r, m, offset, out.Quant.ZeroPoint(), lo, hi}, nil
}

// divideMultiplier is m/n: as much of the shift as n's bits allow is taken into
// the multiplier first, then the quotient is truncated.
func divideMultiplier(m fixed.Multiplier, n int) fixed.Multiplier {
	shift := min(int32(bits.Len64(uint64(n)))-1, 32, 31+m.Shift)
	return fixed.Multiplier{M: int32(int64(m.M) << uint32(shift) / int64(n)), Shift: m.Shift - shift}
}

func (r *mean[T]) Eval(m *Memory) {
	sums := view[int32](m.Scratch)[:r.outputs]
	clear(sums)
	in := get[T](m, r.in)
	r.eachRow(func(at, to int) {
		row := in[at : at+r.inner]
		if r.innerReduced {
			var sum int32
			for _, v := range row {
				sum += int32(v)
			}
			sums[to] += sum
			return
		}
		dst := sums[to : to+r.inner]
		for i, v := range row {
			dst[i] += int32(v)
		}
	})
	out := get[T](m, r.out)
	for i, sum := range sums {
		out[i] = T(min(max(r.m.Apply(sum-r.offset)+r.zero, r.lo), r.hi))
	}
}
