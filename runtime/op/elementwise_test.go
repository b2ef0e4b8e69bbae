package op_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// random is n bytes.
func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestBroadcast compares operators on two inputs of any shapes that broadcast with
// numpy's rule, element by element.
func TestBroadcast(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		out := make([]int, r.IntN(6))
		x, y := make([]int, len(out)), make([]int, len(out))
		for d := range out {
			out[d] = 1 + r.IntN(4)*r.IntN(4)
			x[d], y[d] = out[d], out[d]
			if r.IntN(3) == 0 {
				x[d] = 1
			} else if r.IntN(3) == 0 {
				y[d] = 1
			}
		}
		x = x[r.IntN(len(x)/2+1):]
		for d := range len(out) - len(x) {
			out[d] = y[d]
		}
		a, b := random(r, size(x)), random(r, size(y))
		for _, c := range []struct {
			code tflite.Code
			f    func(a, b int8) int8
		}{
			{tflite.Maximum, func(a, b int8) int8 { return max(a, b) }},
			{tflite.Minimum, func(a, b int8) int8 { return min(a, b) }},
			{tflite.Add, func(a, b int8) int8 { return int8(min(max(int(a)+int(b), -128), 127)) }},
			{tflite.Mul, func(a, b int8) int8 { return int8(min(max(int(a)*int(b), -128), 127)) }},
		} {
			want := make([]byte, size(out))
			for k := range want {
				want[k] = byte(c.f(int8(a[broadcastIndex(k, out, x)]), int8(b[broadcastIndex(k, out, y)])))
			}
			m := one(c.code, []any{none}, []rt.Tensor{plain(x...), plain(y...)}, plain(out...))
			if got := rt.Run(t, m, a, b); !bytes.Equal(got, want) {
				t.Fatalf("%v of %v and %v: got %v, want %v", c.code, x, y, got, want)
			}
		}
	}
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// broadcastIndex is the element of a tensor of shape in that element k of one of
// shape out is made of.
func broadcastIndex(k int, out, in []int) int {
	at, stride := 0, 1
	for d := len(in) - 1; d >= 0; d-- {
		n := out[d+len(out)-len(in)]
		if in[d] > 1 {
			at += k % n * stride
		}
		k, stride = k/n, stride*in[d]
	}
	return at
}

// TestMaxPool2D compares windows of any form with the definition.
func TestMaxPool2D(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 500 {
		h, w, depth := 1+r.IntN(9), 1+r.IntN(9), 1+r.IntN(40)
		kh, kw, sh, sw := 1+r.IntN(h), 1+r.IntN(w), 1+r.IntN(3), 1+r.IntN(3)
		oh, ow, top, left := (h-kh)/sh+1, (w-kw)/sw+1, 0, 0
		padding := byte(r.IntN(2))
		if padding == same {
			oh, ow = (h+sh-1)/sh, (w+sw-1)/sw
			top, left = max((oh-1)*sh+kh-h, 0)/2, max((ow-1)*sw+kw-w, 0)/2
		}
		for _, c := range []struct {
			typed tensor.Type
			flip  byte
		}{{tensor.Int8, 0x80}, {tensor.Uint8, 0}} {
			x := typed(c.typed, 0.05, 3, 2, h, w, depth)
			y := typed(c.typed, 0.05, 3, 2, oh, ow, depth)
			in := random(r, 2*h*w*depth)
			options := []any{padding, sw, sh, kw, kh, []byte{none, relu, six}[r.IntN(3)]}
			lo, hi := byte(0), byte(255)
			if options[5] != none {
				lo = 3 ^ c.flip
			}
			if options[5] == six {
				hi = 123 ^ c.flip
			}
			var want []byte
			for i := range 2 * oh * ow * depth {
				channel, column, row, image := i%depth, i/depth%ow, i/depth/ow%oh, i/depth/ow/oh
				best := lo
				for v := max(row*sh-top, 0); v < min(row*sh-top+kh, h); v++ {
					for u := max(column*sw-left, 0); u < min(column*sw-left+kw, w); u++ {
						best = max(best, in[((image*h+v)*w+u)*depth+channel]^c.flip)
					}
				}
				want = append(want, min(best, hi)^c.flip)
			}
			if got := rt.Run(t, one(tflite.MaxPool2D, options, []rt.Tensor{x}, y), in); !bytes.Equal(got, want) {
				t.Fatalf("%v %dx%d of %dx%dx%d, options %v: got %v, want %v", c.typed, kh, kw, h, w, depth, options, got, want)
			}
		}
	}
}

// TestQuantizeFloat compares quotients of every size, and those beside halves, with
// rounding in float64.
func TestQuantizeFloat(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	inf := float32(math.Inf(1))
	x := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, float32(math.NaN()), 1e-45, -1e-45, 1e20, -1e20, math.MaxFloat32}
	for range 5000 {
		v := float32(r.IntN(600)-300) / 2
		x = append(x, v, math.Nextafter32(v, inf), math.Nextafter32(v, -inf), math.Float32frombits(r.Uint32()))
	}
	for _, scale := range []float32{1, 0.0078125, 0.1, 3e-39, 1e38} {
		for _, c := range []struct {
			typed  tensor.Type
			lo, hi float64
		}{{tensor.Int8, -128, 127}, {tensor.Uint8, 0, 255}, {tensor.Int16, -32768, 32767}} {
			zero := r.IntN(100)
			scaled := make([]float32, len(x))
			var want []byte
			for i, v := range x {
				scaled[i] = v * scale
				q := float64(scaled[i] / scale)
				if q != q {
					q = 0
				}
				y := int(min(max(math.Round(q)+float64(zero), c.lo), c.hi))
				if want = append(want, byte(y)); c.typed == tensor.Int16 {
					want = append(want, byte(y>>8))
				}
			}
			m := one(tflite.Quantize, nil, []rt.Tensor{float32s(len(x))}, typed(c.typed, scale, zero, len(x)))
			if got := rt.Run(t, m, rt.Float32s(scaled...)); !bytes.Equal(got, want) {
				t.Errorf("%v, scale %g: %s", c.typed, scale, difference(got, want, scaled))
			}
		}
	}
}

// difference tells the first byte that differs, and what it was made of.
func difference[T any](got, want []byte, in []T) string {
	for i := range want {
		if got[i] != want[i] {
			return fmt.Sprintf("byte %d of %v: got %d, want %d", i, in[i*len(in)/len(want)], got[i], want[i])
		}
	}
	return "none"
}

// TestResizeBilinear compares sizes of any ratio with the definition.
func TestResizeBilinear(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for range 300 {
		h, w, depth := 1+r.IntN(6), 1+r.IntN(6), 1+r.IntN(40)
		oh, ow, half := 1+r.IntN(14), 1+r.IntN(14), r.IntN(2) == 0
		if r.IntN(2) == 0 {
			oh, ow = 2*h, 2*w
		}
		in := random(r, h*w*depth)
		between := func(i, from, to int) (a, b, weight int) {
			step := (from<<10 + to/2) / to
			at := i * step
			if half {
				at += step/2 - 512
			}
			at = min(max(at, 0), (from-1)<<10)
			return at >> 10, min(at>>10+1, from-1), at & 1023
		}
		var want []byte
		for y := range oh {
			y0, y1, wy := between(y, h, oh)
			for x := range ow {
				x0, x1, wx := between(x, w, ow)
				for c := range depth {
					at := func(y, x int) float64 { return float64(int8(in[(y*w+x)*depth+c])) }
					sum := at(y0, x0)*float64((1024-wx)*(1024-wy)) + at(y0, x1)*float64(wx*(1024-wy)) +
						at(y1, x0)*float64((1024-wx)*wy) + at(y1, x1)*float64(wx*wy)
					want = append(want, byte(int8(math.Round(sum/(1<<20)))))
				}
			}
		}
		m := one(tflite.ResizeBilinear, []any{0, 0, false, half}, []rt.Tensor{plain(1, h, w, depth), const32(oh, ow)}, plain(1, oh, ow, depth))
		if got := rt.Run(t, m, in); !bytes.Equal(got, want) {
			t.Fatalf("%dx%dx%d to %dx%d, half %v: %s", h, w, depth, oh, ow, half, difference(got, want, in))
		}
	}
}
