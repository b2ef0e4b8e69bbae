package op_test

import (
	"math/rand/v2"
	"testing"

	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// TestSumLanes compares sums of bytes with those of the same values in int16, which
// are added one by one.
func TestSumLanes(t *testing.T) {
	r := rand.New(rand.NewPCG(61, 62))
	for range 300 {
		shape, axes := []int{1 + r.IntN(3), 1 + r.IntN(4), 1 + r.IntN(4), 1 + r.IntN(3), 8 * (1 + r.IntN(3))}, []int{}
		shape[1+r.IntN(2)] += 300 * (r.IntN(8) / 7) // more than fit in a lane
		kept, n := []int{}, 1
		for d, size := range shape {
			n *= size
			if r.IntN(2) == 0 {
				axes = append(axes, d)
			} else {
				kept = append(kept, size)
			}
		}
		zero, code := r.IntN(256)-128, []tflite.Code{tflite.Mean, tflite.Sum}[r.IntN(2)]
		bytes, words := make([]byte, n), make([]byte, 2*n)
		for i := range bytes {
			v := int8(r.Uint32() | uint32(r.IntN(2)*255))
			bytes[i], words[2*i], words[2*i+1] = byte(v), byte(v), byte(v>>7)
		}
		build := func(ty tensor.Type) *rt.Builder {
			in := rt.Tensor{Name: "x", Type: ty, Shape: shape, Scales: []float32{0.5}, Zeros: []int{zero}}
			out := rt.Tensor{Name: "y", Type: ty, Shape: kept, Scales: []float32{0.7}, Zeros: []int{3}}
			return one(code, []any{false}, []rt.Tensor{in, rt.Const32("a", []int{len(axes)}, axes...)}, out)
		}
		got, got8, want := rt.Run(t, build(tensor.Int8), bytes), rt.Run(t, rt.Unsigned(build(tensor.Int8)), flipped(bytes)), rt.Run(t, build(tensor.Int16), words)
		for i := range got {
			w := min(max(int(int16(uint16(want[2*i])|uint16(want[2*i+1])<<8)), -128), 127)
			if int(int8(got[i])) != w || int(got8[i]) != w+128 {
				t.Fatalf("%v axes %v: output %d: got %d, on uint8 %d, want %d", shape, axes, i, int8(got[i]), got8[i], w)
			}
		}
	}
}

func flipped(b []byte) []byte {
	f := make([]byte, len(b))
	for i, v := range b {
		f[i] = v ^ 0x80
	}
	return f
}

// TestTransposePlanes brings the channels of images of many sizes from first to
// last place.
func TestTransposePlanes(t *testing.T) {
	for n := 1; n < 40; n++ {
		for channels := 2; channels < 6; channels++ {
			const batch = 2
			in := make([]byte, batch*channels*n)
			for i := range in {
				in[i] = byte(i * 37)
			}
			got := rt.Run(t, one(tflite.Transpose, nil, []rt.Tensor{rt.Int8("x", 1, 0, batch, channels, 1, n), rt.Const32("p", []int{4}, 0, 2, 3, 1)},
				rt.Int8("y", 1, 0, batch, 1, n, channels)), in)
			for i, v := range got {
				b, x, c := i/(n*channels), i/channels%n, i%channels
				if want := in[(b*channels+c)*n+x]; v != want {
					t.Fatalf("%d channels of %d: image %d, pixel %d, channel %d: got %d, want %d", channels, n, b, x, c, v, want)
				}
			}
		}
	}
}
