package op

import (
	"fmt"
	"slices"

	"kedge/runtime/tensor"
)

// gather is GATHER: slices of the input along an axis, picked by positions. The
// first batch dimensions of input and positions go together.
//
// The reference has no result for positions outside of the axis. Constant ones
// are refused; computed ones give a slice of zeros (8-bit: zero points).
type gather struct {
	in, positions, out  int
	batch, outer, count int // positions per batch: count
	extent              int // of the axis
	bytes               int // of a slice's contiguous piece
	zero                byte
}

func prepareGather(p *Prep) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	in, at, out := p.in(0), p.in(1), p.out(0)
	if err := p.movable(in, out); err != nil {
		return nil, err
	}
	if err := p.types(at, tensor.Int32); err != nil {
		return nil, err
	}
	axis, err := p.axis(operand{}, int64(p.Operator.Options.Int32(0, 0)), len(in.Shape))
	if err != nil {
		return nil, err
	}
	batchDims, err := p.batchDims(in, at, axis)
	if err != nil {
		return nil, err
	}
	if err := p.shape(out, slices.Concat(in.Shape[:axis], at.Shape[batchDims:], in.Shape[axis+1:])); err != nil {
		return nil, err
	}
	outer, inner := around(in.Shape, axis)
	batch := 1
	for _, n := range in.Shape[:batchDims] {
		batch *= n
	}
	if out.elements() == 0 {
		batch = 0 // nothing to do
	}
	g := &gather{in: in.id, positions: at.id, out: out.id, batch: batch, extent: in.Shape[axis], bytes: inner * in.size(), zero: in.zeroByte()}
	if batch > 0 {
		g.outer, g.count = outer/batch, at.elements()/batch
	}
	return g, p.within(at, g.extent)
}

// batchDims is the number of dimensions that in and its positions share.
func (p *Prep) batchDims(in, at operand, axis int) (int, error) {
	b := int64(p.Operator.Options.Int32(1, 0))
	if b < 0 {
		b += int64(len(at.Shape))
	}
	if b < 0 || b > int64(min(axis, len(at.Shape))) {
		return 0, p.invalid(operand{}, fmt.Sprintf("%d batch dimensions", b), fmt.Sprintf("0 to %d", min(axis, len(at.Shape))))
	}
	return int(b), p.shape(at, slices.Concat(in.Shape[:b], at.Shape[b:]))
}

// within checks constant positions.
func (p *Prep) within(at operand, extent int) error {
	if at.Data == nil {
		return nil
	}
	for _, v := range view[int32](at.Data) {
		if v < 0 || int(v) >= extent {
			return p.invalid(at, fmt.Sprintf("position %d", v), fmt.Sprintf("one of %d", extent))
		}
	}
	return nil
}

func (g *gather) Eval(m *Memory) {
	in, at, out := m.Tensors[g.in], get[int32](m, g.positions), m.Tensors[g.out]
	for b := range g.batch {
		for k := range g.outer {
			plane := (b*g.outer + k) * g.extent
			for _, v := range at[b*g.count : (b+1)*g.count] {
				if uint32(v) < uint32(g.extent) {
					from := (plane + int(v)) * g.bytes
					copy(out[:g.bytes], in[from:])
				} else {
					fill(out[:g.bytes], g.zero)
				}
				out = out[g.bytes:]
			}
		}
	}
}
