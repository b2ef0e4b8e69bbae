package op

import (
	"cmp"
	"fmt"
	"math"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// sum is SUM and MEAN: sums over the reduced dimensions in int32 (wrapping),
// less the zero point of every cell, then one requantization by in/out (in
// float64). An input without elements gives raw zeros.
type sum[T int8 | uint8 | int16] struct {
	in, out int
	reduction
	m            fixed.Multiplier
	offset       int32  // zero point times number of cells, modulo 2^32
	lanes        bool   // cells are added as addLanes does
	flip         uint64 // 0x80 in every byte for int8, which then stand for 128 more
	zero, lo, hi int32
}

// prepareSum prepares SUM. On float32 cells are added one by one in their order.
func prepareSum(p *Prep) (Evaluator, error) {
	if p.isReal() {
		return p.realSum(false)
	}
	return p.sum(func(m fixed.Multiplier, cells int) fixed.Multiplier { return m })
}

// sum prepares SUM or MEAN; scale adapts the multiplier to the number of cells,
// which is not 0.
func (p *Prep) sum(scale func(m fixed.Multiplier, cells int) fixed.Multiplier) (Evaluator, error) {
	in, out, r, err := p.reduce(tensor.Int8, tensor.Uint8, tensor.Int16)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(p.quantized(in), p.quantized(out)); err != nil {
		return nil, err
	}
	m, err := p.multiplier(in, float64(in.Quant.Scale())/float64(out.Quant.Scale()))
	if err != nil {
		return nil, err
	}
	if r.cells != 0 {
		m = scale(m, r.cells)
	}
	if r.outputs > math.MaxInt32/4 {
		return nil, p.unsupported(out, fmt.Sprintf("%d elements", r.outputs), "sums that fit in 2 GiB")
	}
	lo, hi, _ := out.Type.Range()
	zero := int64(in.Quant.ZeroPoint())
	lanes := in.Type != tensor.Int16 && in.Data == nil && r.tail > 0 && r.tail%8 == 0
	flip := uint64(0)
	if !lanes {
		p.Scratch = 4 * r.outputs
	}
	if lanes && in.Type == tensor.Int8 {
		flip, zero = 0x8080808080808080, zero+128
	}
	offset := int32(zero * int64(r.cells))
	switch in.Type {
	case tensor.Uint8:
		return &sum[uint8]{in.id, out.id, r, m, offset, lanes, flip, out.Quant.ZeroPoint(), lo, hi}, nil
	case tensor.Int16:
		return &sum[int16]{in.id, out.id, r, m, offset, lanes, flip, out.Quant.ZeroPoint(), lo, hi}, nil
	}
	return &sum[int8]{in.id, out.id, r, m, offset, lanes, flip, out.Quant.ZeroPoint(), lo, hi}, nil
}

func (r *sum[T]) Eval(m *Memory) {
	in, out := get[T](m, r.in), get[T](m, r.out)
	switch {
	case len(in) == 0:
		clear(out) // raw zeros, whatever the zero point
	case r.lanes:
		m.share(r, len(in), addedPerPart)
	default:
		sums := view[int32](m.Scratch)[:r.outputs]
		clear(sums)
		r.addRows(sums, in)
		r.scale(out, sums)
	}
}

// Part implements kernel.Job for sums by lanes.
func (r *sum[T]) Part(i, n int, operands any) {
	m := operands.(*Memory)
	r.addLanes(get[T](m, r.out), view[uint64](m.Tensors[r.in]), i, n)
}

// scale sets out to the results of sums.
func (r *sum[T]) scale(out []T, sums []int32) {
	for i, sum := range sums {
		out[i] = T(min(max(r.m.Apply(sum-r.offset)+r.zero, r.lo), r.hi))
	}
}

// addRows adds every row to the sums that it goes into.
func (r *sum[T]) addRows(sums []int32, in []T) {
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
}
