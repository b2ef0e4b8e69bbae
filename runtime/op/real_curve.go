package op

// realCurve tabulates a real function of a quantized value: f of scale times the
// input less its zero point, times the reciprocal of the output's scale, rounded
// half away from zero, plus the zero point, clamped. Every step is rounded to
// float32.
type realCurve struct {
	f              func(x float32) float32
	scale, inverse float32
	zero           int32
	outZero        float32
	lo, hi         float32
}

// realCurve prepares a table of f for 8-bit tensors.
func (p *Prep) realCurve(in, out operand, f func(x float32) float32) (Evaluator, error) {
	lo, hi, _ := out.Type.Range()
	p.overwrites(0)
	return p.lookup(in, out, realCurve{
		f: f, scale: in.Quant.Scale(), inverse: float32(1 / out.Quant.Scale()),
		zero: in.Quant.ZeroPoint(), outZero: float32(out.Quant.ZeroPoint()), lo: float32(lo), hi: float32(hi),
	})
}

func (c realCurve) at(v int32) int32 {
	y := c.f(float32(c.scale * float32(v-c.zero)))
	if y == 0 || y != y {
		return int32(c.outZero) // also where a scale or a reciprocal is infinite
	}
	y = float32(roundf(float32(y*c.inverse)) + c.outZero)
	return int32(min(max(y, c.lo), c.hi))
}
