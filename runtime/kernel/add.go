package kernel

import "kedge/runtime/fixed"

// Add is the addition of two 8-bit tensors of different quantization. X and Y
// map each input byte to its value on the common scale, which is all that the
// definition computes of one input alone. Bytes stand for int8 or uint8 alike:
// Min and Max lie within the one or the other, and the sum's low byte is stored.
type Add struct {
	X, Y     [256]int32
	Output   fixed.Multiplier
	Zero     int32
	Min, Max int32
}

func addGeneric(a *Add, x, y, out []int8) {
	x, y = x[:len(out)], y[:len(out)]
	for i := range out {
		out[i] = a.At(x[i], y[i])
	}
}

// At is the sum of one pair.
func (a *Add) At(x, y int8) int8 {
	sum := a.X[uint8(x)] + a.Y[uint8(y)]
	return int8(min(max(a.Output.Apply(sum)+a.Zero, a.Min), a.Max))
}
