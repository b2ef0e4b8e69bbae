package kernel

import "math"

// Lookup sets every byte of out to what the table has for that of in. out may be in.
func (s *Set) Lookup(table *[256]byte, out, in []byte) {
	n := 0
	if s.engine != nil && s.engine.lookup != nil && len(out) >= 64 {
		n = len(out) &^ 63
		s.engine.lookup(table, &out[0], &in[:n][0], n)
	}
	out, in = out[n:], in[n:len(out)]
	for ; len(out) >= 8; out, in = out[8:], in[8:] {
		to, from := (*[8]byte)(out), (*[8]byte)(in)
		to[0], to[1], to[2], to[3] = table[from[0]], table[from[1]], table[from[2]], table[from[3]]
		to[4], to[5], to[6], to[7] = table[from[4]], table[from[5]], table[from[6]], table[from[7]]
	}
	for i, v := range in {
		out[i] = table[v]
	}
}

// LookupKernel names what computes Lookup: the set, or "go".
func (s *Set) LookupKernel() string {
	return s.kernel("lookup", s.engine != nil && s.engine.lookup != nil)
}

// kernel names the loop of the set, or plain Go where it has none.
func (s *Set) kernel(loop string, has bool) string {
	if !has {
		return plainGo
	}
	return s.Name + " " + loop
}

// Quantizer turns numbers into bytes: x/Scale, a float32 quotient, rounded half away
// from zero, plus Zero, clamped to int8, combined with Flip by exclusive or. NaN
// counts as 0.
type Quantizer struct {
	Scale float32
	Zero  int32
	Flip  byte
}

// Quantize sets every byte of out to the number of in. out may lie where in does.
func (s *Set) Quantize(q *Quantizer, out []byte, in []float32) {
	n := 0
	if s.engine != nil && s.engine.quantize != nil && len(out) >= 16 {
		n = len(out) &^ 15
		s.engine.quantize(q, &out[0], &in[:n][0], n)
	}
	out, in = out[n:], in[n:]
	for i, x := range in[:len(out)] {
		out[i] = byte(min(max(RoundAway(x/q.Scale)+q.Zero, math.MinInt8), math.MaxInt8)) ^ q.Flip
	}
}

// QuantizeKernel names what computes Quantize: the set, or "go".
func (s *Set) QuantizeKernel() string {
	return s.kernel("quantize", s.engine != nil && s.engine.quantize != nil)
}

// RoundAway rounds x half away from zero, within ±2^20; NaN gives 0. It has no
// branch that depends on the sign.
func RoundAway(x float32) int32 {
	const (
		infinity = 0x7F800000
		far      = 0x49800000 // 2^20
	)
	b := math.Float32bits(x)
	size := b &^ (1 << 31)
	if size > infinity {
		return 0
	}
	// A half more is exact in float64, but where x is so small that it does not
	// count.
	v := int32(float64(math.Float32frombits(min(size, far))) + 0.5)
	sign := int32(b) >> 31
	return (v ^ sign) - sign
}
