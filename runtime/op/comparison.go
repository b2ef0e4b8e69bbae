package op

import (
	"cmp"
	"fmt"

	"kedge/runtime/fixed"
	"kedge/runtime/tensor"
)

// relation is what a comparison asks for.
type relation int

const (
	equal relation = iota
	notEqual
	greater
	greaterEqual
	less
	lessEqual
)

// holds is r as a function of two values, 1 or 0.
func holds[T element](r relation) func(x, y T) uint8 {
	switch r {
	case equal:
		return func(x, y T) uint8 { return truth(x == y) }
	case notEqual:
		return func(x, y T) uint8 { return truth(x != y) }
	case greater:
		return func(x, y T) uint8 { return truth(x > y) }
	case greaterEqual:
		return func(x, y T) uint8 { return truth(x >= y) }
	case less:
		return func(x, y T) uint8 { return truth(x < y) }
	}
	return func(x, y T) uint8 { return truth(x <= y) }
}

func truth(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// compare prepares a comparison, whose output is bool. Numbers and bools are
// compared as they are, int8 and uint8 by what their values stand for. int16 is
// refused: the reference has it in GREATER alone, with factors that it never sets.
func (p *Prep) compare(r relation) (Evaluator, error) {
	if err := p.arity(2, 2, 1); err != nil {
		return nil, err
	}
	x, y := p.in(0), p.in(1)
	types := []tensor.Type{tensor.Int8, tensor.Uint8, tensor.Int32, tensor.Int64, tensor.Float32}
	if r == equal || r == notEqual {
		types = append(types, tensor.Bool)
	}
	if err := cmp.Or(p.types(x, types...), p.types(y, x.Type), p.types(p.out(0), tensor.Bool)); err != nil {
		return nil, err
	}
	switch x.Type {
	case tensor.Int32:
		return pair(p, holds[int32](r))
	case tensor.Int64:
		return pair(p, holds[int64](r))
	case tensor.Float32:
		return pair(p, holds[float32](r))
	case tensor.Bool:
		return pair(p, holds[uint8](r))
	}
	return p.compareQuantized(x, y, r)
}

// compareQuantized compares 8-bit values, each less its zero point, shifted left
// by 8 and scaled by its own scale; differences below 1/256 vanish in that. There
// is no room for scales of 1 or more.
func (p *Prep) compareQuantized(x, y operand, r relation) (Evaluator, error) {
	for _, t := range []operand{x, y} {
		if err := p.quantized(t); err != nil {
			return nil, err
		}
		if s := t.Quant.Scale(); s >= 1 {
			return nil, p.unsupported(t, fmt.Sprintf("scale %g", s), "one below 1")
		}
	}
	f := holds[int32](r)
	xm, ym := fixed.Quantize(float64(x.Quant.Scale())), fixed.Quantize(float64(y.Quant.Scale()))
	xZero, yZero := x.Quant.ZeroPoint(), y.Quant.ZeroPoint()
	scaled := func(a, b int32) uint8 { return f(xm.Apply((a-xZero)<<8), ym.Apply((b-yZero)<<8)) }
	if x.Type == tensor.Uint8 {
		return pair(p, func(a, b uint8) uint8 { return scaled(int32(a), int32(b)) })
	}
	return pair(p, func(a, b int8) uint8 { return scaled(int32(a), int32(b)) })
}
