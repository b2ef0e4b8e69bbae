package op_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// TestMulChannels: a factor for every channel gives the same as a constant as it
// does as an input, which is multiplied by the definition.
func TestMulChannels(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	any8 := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	for range 200 {
		shape := []int{1 + r.IntN(3), 1 + r.IntN(3), 1 + r.IntN(40)}
		n := shape[2]
		x := rt.Int8("x", 0.5, r.IntN(256)-128, shape...)
		// Zero points at which the factors are within 8 bits, and others.
		y := rt.Int8("y", 0.25, r.IntN(3)-1, append(make([]int, 0, 2), 1, n)[r.IntN(2):]...)
		z := rt.Int8("z", []float32{0.0625, 0.25, 7}[r.IntN(3)], r.IntN(256)-128, shape...)
		options, in, factors := []any{[]byte{none, relu, six}[r.IntN(3)]}, any8(shape[0]*shape[1]*n), any8(n)
		want := rt.Run(t, one(tflite.Mul, options, []rt.Tensor{x, y}, z), in, factors)
		y.Data = factors
		operands := []rt.Tensor{x, y}
		if r.IntN(2) == 0 {
			operands = []rt.Tensor{y, x}
		}
		if got := rt.Run(t, one(tflite.Mul, options, operands, z), in); !bytes.Equal(got, want) {
			t.Fatalf("%v times %v, scale %g: got %v, want %v", in, factors, z.Scales, got, want)
		}
	}
}
