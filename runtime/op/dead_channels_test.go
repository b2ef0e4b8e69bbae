package op_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// TestDeadChannels: a layer of which some filters are all 0 gives the bytes of
// each channel computed by a layer of its own, which nothing can be left out of;
// on uint8 too, where another weight stands for 0.
func TestDeadChannels(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 52))
	for range 120 {
		outC, inC, size := 1+r.IntN(12), 1+r.IntN(12), 1+r.IntN(4)
		for _, l := range []struct {
			name string
			code tflite.Code
			// make is the layer with weights [outC, k] and bias.
			make func(w rt.Tensor, bias rt.Tensor, outC int) *rt.Builder
			k    int
		}{
			{"CONV_2D", tflite.Conv2D, func(w, b rt.Tensor, n int) *rt.Builder {
				w.Shape = []int{n, 3, 3, inC}
				return one(tflite.Conv2D, []any{same, 1, 1, relu}, []rt.Tensor{rt.Int8("x", 0.1, 9, 1, size, size, inC), w, b}, rt.Int8("y", 0.2, -20, 1, size, size, n))
			}, 9 * inC},
			{"pointwise CONV_2D", tflite.Conv2D, func(w, b rt.Tensor, n int) *rt.Builder {
				w.Shape = []int{n, 1, 1, inC}
				return one(tflite.Conv2D, []any{same, 1, 1, none}, []rt.Tensor{rt.Int8("x", 0.1, 9, 2, size, size, inC), w, b}, rt.Int8("y", 0.2, -20, 2, size, size, n))
			}, inC},
			{"FULLY_CONNECTED", tflite.FullyConnected, func(w, b rt.Tensor, n int) *rt.Builder {
				w.Shape = []int{n, inC}
				return one(tflite.FullyConnected, []any{none}, []rt.Tensor{rt.Int8("x", 0.125, 9, size, inC), w, b}, rt.Int8("y", 0.2, -20, size, n))
			}, inC},
			{"TRANSPOSE_CONV", tflite.TransposeConv, func(w, b rt.Tensor, n int) *rt.Builder {
				w.Shape = []int{n, 2, 2, inC}
				return one(tflite.TransposeConv, []any{valid, 2, 2, none}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 2*size, 2*size, n), w,
					rt.Int8("x", 0.1, 9, 1, size, size, inC), b}, rt.Int8("y", 0.2, -20, 1, 2*size, 2*size, n))
			}, 4 * inC},
		} {
			unsigned, zero := r.IntN(3) == 0, 0
			if unsigned {
				zero = r.IntN(256) - 128
			}
			weights, bias := slices.Repeat([]int{zero}, outC*l.k), make([]int, outC)
			scales := make([]float32, outC)
			for c := range outC {
				bias[c], scales[c] = r.IntN(4000)-2000, float32(1+c)/128 // products with 0.125 are exact
				if r.IntN(2) == 0 {
					continue
				}
				for i := range l.k {
					weights[c*l.k+i] = r.IntN(255) - 127
				}
			}
			layer := func(from, to int) *rt.Builder {
				n := to - from
				w := rt.Weights("w", 1.0/64, nil, weights[from*l.k:to*l.k]...)
				b := rt.Const32("b", []int{n}, bias[from:to]...)
				if unsigned {
					return rt.Unsigned(l.make(zeroed(w, zero), b, n))
				}
				return l.make(perChannel(w, scales[from:to]...), b, n)
			}
			whole := layer(0, outC)
			in := make([]byte, bytesOf(whole.Tensors[whole.Inputs[0]]))
			for i := range in {
				in[i] = byte(r.Uint32())
			}
			got := rt.Run(t, whole, in)
			want := make([]byte, len(got))
			for c := range outC {
				for i, v := range rt.Run(t, layer(c, c+1), in) {
					want[i*outC+c] = v
				}
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%s, %d of %d inputs, bias %v, weights %v: got %v, want %v", l.name, outC, inC, bias, weights, got, want)
			}
		}
	}
}

// bytesOf is the size of an int8 tensor.
func bytesOf(t rt.Tensor) int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// TestDeadChannelsOfAll: nothing of the layer depends on its input.
func TestDeadChannelsOfAll(t *testing.T) {
	w := rt.Weights("w", 1, []int{3, 100}, make([]int, 300)...)
	model := one(tflite.FullyConnected, []any{none}, []rt.Tensor{rt.Int8("x", 1, 0, 2, 100), w, rt.Const32("b", []int{3}, 5, -6, 200)}, rt.Int8("y", 1, 1, 2, 3))
	if got, want := rt.Run(t, model, bytes.Repeat([]byte{77}, 200)), rt.Int8s(6, -5, 127, 6, -5, 127); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestDeadChannelsOfAsymmetric: what stands for 0 is the weights' zero point.
func TestDeadChannelsOfAsymmetric(t *testing.T) {
	values := make([]int, 3*40)
	for i := range values {
		values[i] = 7
	}
	values[1*40+3], values[1*40+9] = 9, 6
	w := zeroed(rt.Weights("w", 1, []int{3, 40}, values...), 7)
	in := make([]int, 40)
	for i := range in {
		in[i] = i
	}
	model := one(tflite.FullyConnected, []any{none}, []rt.Tensor{rt.Int8("x", 1, 2, 1, 40), w, rt.Const32("b", []int{3}, 5, -6, 50)}, rt.Int8("y", 1, 1, 1, 3))
	if got, want := rt.Run(t, model, rt.Int8s(in...)), rt.Int8s(6, 2*1-7-6+1, 51); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
