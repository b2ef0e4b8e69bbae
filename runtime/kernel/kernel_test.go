package kernel

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kedge/runtime/fixed"
)

// definition is a convolution written down as its formula: every output, every
// tap, with the test for the edge inside. in and weight look up one element.
func definition(w *Window, outC int, o *Output, bias []int32, depth int,
	in func(b, y, x, c, i int) int32, weight func(c, ky, kx, i int) int32) []int8 {
	var out []int8
	for b := range w.Batch {
		for y := range w.OutH {
			for x := range w.OutW {
				for c := range outC {
					acc := int32(0)
					if bias != nil {
						acc = bias[c]
					}
					for ky := range w.KernelH {
						for kx := range w.KernelW {
							iy, ix := y*w.StrideH-w.PadTop+ky*w.DilationH, x*w.StrideW-w.PadLeft+kx*w.DilationW
							if iy < 0 || iy >= w.InH || ix < 0 || ix >= w.InW {
								continue
							}
							for i := range depth {
								acc += in(b, iy, ix, c, i) * weight(c, ky, kx, i)
							}
						}
					}
					v := o.Multipliers[c].Apply(acc) + o.Zero
					out = append(out, int8(min(max(v, o.Min), o.Max)))
				}
			}
		}
	}
	return out
}

// values gives random arguments, many of them extreme.
type values struct{ *rand.Rand }

func (r values) int8s(n int) []int8 {
	s := make([]int8, n)
	for i := range s {
		switch r.IntN(8) {
		case 0:
			s[i] = -128
		case 1:
			s[i] = 127
		default:
			s[i] = int8(r.Uint32())
		}
	}
	return s
}

// deaden sets a run of channels, which is the last dimension, to what stands for 0.
func (r values) deaden(weights []int8, channels int, zero int8) {
	first := r.IntN(channels + 1)
	end := first + r.IntN(channels-first+1)
	for ; len(weights) > 0; weights = weights[channels:] {
		fill(weights[first:end], zero)
	}
}

func (r values) output(n int) Output {
	o := Output{Zero: int32(r.IntN(256)) - 128, Min: int32(r.IntN(100)) - 128, Max: 127 - int32(r.IntN(100))}
	for range n {
		m := fixed.Multiplier{M: 1<<30 + int32(r.Uint32()>>2), Shift: -int32(r.IntN(13))}
		if r.IntN(40) == 0 {
			m.Shift = 1 // more than engines take
		}
		o.Multipliers = append(o.Multipliers, m)
	}
	return o
}

func (r values) bias(n int) []int32 {
	if r.IntN(3) == 0 {
		return nil
	}
	b := make([]int32, n)
	for i := range b {
		b[i] = int32(r.IntN(20001)) - 10000
	}
	return b
}

// weightZero is a zero point of weights, mostly 0.
func (r values) weightZero() int32 {
	if r.IntN(3) > 0 {
		return 0
	}
	return int32(r.IntN(256)) - 128
}

// window is a random geometry; its padding is any, not only that of SAME.
func (r values) window() Window {
	w := Window{
		Batch: 1 + r.IntN(2), KernelH: 1 + r.IntN(4), KernelW: 1 + r.IntN(4),
		StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3), DilationH: 1 + r.IntN(2), DilationW: 1 + r.IntN(2),
		InH: 1 + r.IntN(8), InW: 1 + r.IntN(8),
	}
	if r.IntN(3) > 0 {
		w.PadTop, w.PadLeft = r.IntN(w.KernelH*w.DilationH), r.IntN(w.KernelW*w.DilationW)
	}
	w.OutH, w.OutW = (w.InH-1)/w.StrideH+1, (w.InW-1)/w.StrideW+1
	if r.IntN(4) == 0 { // as from a PAD, on any side and beyond the window's size
		w.PadTop, w.PadLeft = r.IntN(10), r.IntN(10)
		w.OutH, w.OutW = w.OutH+r.IntN(8), w.OutW+r.IntN(8)
	}
	return w
}

// broad is a window of any size, over an image that is wider than high.
func (r values) broad() Window {
	w := r.window()
	w.KernelH, w.KernelW, w.InH, w.InW = 1+r.IntN(9), 1+r.IntN(9), 1+r.IntN(10), 1+r.IntN(70)
	w.PadTop, w.PadLeft = r.IntN(w.KernelH*w.DilationH), r.IntN(w.KernelW*w.DilationW)
	if r.IntN(2) == 0 {
		w.KernelH, w.KernelW, w.DilationW = 3, 3, 1
	}
	w.OutH, w.OutW = (w.InH-1)/w.StrideH+1, (w.InW-1)/w.StrideW+1
	return w
}

func granted(int) bool { return true }

// scratch is memory full of what must not matter.
func scratch(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + 3)
	}
	return b
}

func each(t *testing.T, runs int, f func(t *testing.T, s *Set, r values)) {
	sets := []*Set{{Name: "generic"}}
	for _, e := range append(portable(), engines()...) {
		if err := e.check(); err != nil {
			t.Log(err)
			continue
		}
		sets = append(sets, &Set{Name: e.name, engine: e})
	}
	for _, s := range sets {
		t.Run(s.Name, func(t *testing.T) {
			r := values{rand.New(rand.NewPCG(11, 12))}
			for i := range runs {
				f(t, s.For(i%3*10), r) // a model of so many operators
			}
		})
	}
}

func TestConv(t *testing.T) {
	each(t, 400, func(t *testing.T, s *Set, r values) {
		groups, depth := 1+r.IntN(3)*r.IntN(2), 1+r.IntN(9)
		filters := 1 + r.IntN(20)
		c := Conv{Window: r.window(), InC: groups * depth, OutC: groups * filters, Groups: groups, InZero: int32(r.IntN(256)) - 128}
		c.Weights = r.int8s(c.OutC * c.KernelH * c.KernelW * depth)
		c.Bias, c.Output, c.WeightZero = r.bias(c.OutC), r.output(c.OutC), r.weightZero()
		in, out := r.int8s(c.Batch*c.InH*c.InW*c.InC), make([]int8, c.Batch*c.OutH*c.OutW*c.OutC)
		s.PrepareConv(&c, granted)
		c.Run(in, out, scratch(c.Scratch), new(Work))
		want := definition(&c.Window, c.OutC, &c.Output, c.Bias, depth,
			func(b, y, x, ch, i int) int32 {
				return int32(in[((b*c.InH+y)*c.InW+x)*c.InC+ch/filters*depth+i]) - c.InZero
			},
			func(ch, ky, kx, i int) int32 {
				return int32(c.Weights[((ch*c.KernelH+ky)*c.KernelW+kx)*depth+i]) - c.WeightZero
			})
		if !slices.Equal(out, want) {
			t.Fatalf("%+v, weights' zero point %d: got %v, want %v", c.Window, c.WeightZero, out, want)
		}
	})
}

func TestDepthwise(t *testing.T) {
	each(t, 400, func(t *testing.T, s *Set, r values) {
		d := Depthwise{Window: r.window(), InC: 1 + r.IntN(20) + 40*r.IntN(2), Multiplier: 1 + r.IntN(3)*r.IntN(2), InZero: int32(r.IntN(256)) - 128}
		d.OutC = d.InC * d.Multiplier
		d.Weights = r.int8s(d.KernelH * d.KernelW * d.OutC)
		d.Bias, d.Output, d.WeightZero = r.bias(d.OutC), r.output(d.OutC), r.weightZero()
		r.deaden(d.Weights, d.OutC, int8(d.WeightZero))
		in, out := r.int8s(d.Batch*d.InH*d.InW*d.InC), make([]int8, d.Batch*d.OutH*d.OutW*d.OutC)
		s.PrepareDepthwise(&d, granted)
		d.Run(in, out, scratch(d.Scratch), new(Work))
		want := definition(&d.Window, d.OutC, &d.Output, d.Bias, 1,
			func(b, y, x, ch, _ int) int32 {
				return int32(in[((b*d.InH+y)*d.InW+x)*d.InC+ch/d.Multiplier]) - d.InZero
			},
			func(ch, ky, kx, _ int) int32 { return int32(d.Weights[(ky*d.KernelW+kx)*d.OutC+ch]) - d.WeightZero })
		if !slices.Equal(out, want) {
			t.Fatalf("%+v InC %d OutC %d, weights' zero point %d: got %v, want %v", d.Window, d.InC, d.OutC, d.WeightZero, out, want)
		}
	})
}

// TestDepthwiseShapes: any number of pixels, of channels and of taps.
func TestDepthwiseShapes(t *testing.T) {
	each(t, 120, func(t *testing.T, s *Set, r values) {
		d := Depthwise{Window: r.broad(), InC: 1 + r.IntN(200), Multiplier: 1, InZero: int32(r.IntN(256)) - 128}
		if r.IntN(2) == 0 {
			d.InC = 1 + r.IntN(20)
		}
		d.OutC = d.InC
		d.Weights, d.Bias, d.Output = r.int8s(d.KernelH*d.KernelW*d.OutC), r.bias(d.OutC), r.output(d.OutC)
		in, out := r.int8s(d.Batch*d.InH*d.InW*d.InC), make([]int8, d.Batch*d.OutH*d.OutW*d.OutC)
		s.PrepareDepthwise(&d, granted)
		d.Run(in, out, scratch(d.Scratch), new(Work))
		want := definition(&d.Window, d.OutC, &d.Output, d.Bias, 1,
			func(b, y, x, ch, _ int) int32 { return int32(in[((b*d.InH+y)*d.InW+x)*d.InC+ch]) - d.InZero },
			func(ch, ky, kx, _ int) int32 { return int32(d.Weights[(ky*d.KernelW+kx)*d.OutC+ch]) })
		if !slices.Equal(out, want) {
			t.Fatalf("%+v channels %d: other bytes than the definition's", d.Window, d.InC)
		}
	})
}

func TestDense(t *testing.T) {
	each(t, 400, func(t *testing.T, s *Set, r values) {
		d := Dense{Batch: 1 + r.IntN(9), K: 1 + r.IntN(200), N: 1 + r.IntN(80), InZero: int32(r.IntN(256)) - 128, WeightZero: r.weightZero()}
		d.Weights, d.Bias, d.Output = r.int8s(d.N*d.K), r.bias(d.N), r.output(d.N)
		in, out := r.int8s(d.Batch*d.K), make([]int8, d.Batch*d.N)
		s.PrepareDense(&d, granted)
		d.Run(in, out, scratch(d.Scratch), new(Work))
		pixel := Window{Batch: d.Batch, InH: 1, InW: 1, OutH: 1, OutW: 1, KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
		want := definition(&pixel, d.N, &d.Output, d.Bias, d.K,
			func(b, _, _, _, i int) int32 { return int32(in[b*d.K+i]) - d.InZero },
			func(n, _, _, i int) int32 { return int32(d.Weights[n*d.K+i]) - d.WeightZero })
		if !slices.Equal(out, want) {
			t.Fatalf("%d×%d×%d: got %v, want %v", d.Batch, d.K, d.N, out, want)
		}
	})
}

// TestDenseReal computes every sum and rounds it by its distance to the integers
// around it.
func TestDenseReal(t *testing.T) {
	r := values{rand.New(rand.NewPCG(5, 6))}
	for range 200 {
		d := DenseReal{Batch: 1 + r.IntN(3), K: 1 + r.IntN(40), N: 1 + r.IntN(9), InZero: int32(r.IntN(256)), WeightZero: int32(r.IntN(256)),
			Scale: math.Ldexp(float64(1+r.IntN(3)), -r.IntN(16)), Zero: int32(r.IntN(256)), Min: int32(r.IntN(50)), Max: 255 - int32(r.IntN(50))}
		d.Weights, d.Bias = bytesOf(r.int8s(d.N*d.K)), r.bias(d.N)
		in, out := bytesOf(r.int8s(d.Batch*d.K)), make([]uint8, d.Batch*d.N)
		d.Prepare()
		RunDenseReal(&d, in, out)
		for i, got := range out {
			b, n := i/d.N, i%d.N
			acc := int32(0)
			if d.Bias != nil {
				acc = d.Bias[n]
			}
			for k := range d.K {
				acc += (int32(in[b*d.K+k]) - d.InZero) * (int32(d.Weights[n*d.K+k]) - d.WeightZero)
			}
			v := math.Trunc(float64(acc) * d.Scale) // exact: the scale has few bits
			if rest := float64(acc)*d.Scale - v; rest >= 0.5 {
				v++
			} else if rest <= -0.5 {
				v--
			}
			if want := min(max(int32(v)+d.Zero, d.Min), d.Max); int32(got) != want {
				t.Fatalf("sum %d times %g: got %d, want %d", acc, d.Scale, got, want)
			}
		}
	}
}

func bytesOf(s []int8) []byte {
	b := make([]byte, len(s))
	for i, v := range s {
		b[i] = byte(v)
	}
	return b
}

// TestTransposeConv spreads every input over the output, as the definition has it.
func TestTransposeConv(t *testing.T) {
	r := values{rand.New(rand.NewPCG(7, 8))}
	for range 200 {
		c := TransposeConv{Window: r.window(), InC: 1 + r.IntN(5), OutC: 1 + r.IntN(5), InZero: int32(r.IntN(256)) - 128, WeightZero: r.weightZero()}
		c.Weights, c.Bias, c.Output = r.int8s(c.OutC*c.KernelH*c.KernelW*c.InC), r.bias(c.OutC), r.output(c.OutC)
		in, out := r.int8s(c.Batch*c.InH*c.InW*c.InC), make([]int8, c.Batch*c.OutH*c.OutW*c.OutC)
		c.Run8(in, out)
		sums := make([]int32, len(out))
		for i, x := range in {
			ch, rest := i%c.InC, i/c.InC
			col, row, b := rest%c.InW, rest/c.InW%c.InH, rest/c.InW/c.InH
			for j, w := range c.Weights {
				wc, tap := j%c.InC, j/c.InC
				y, x0 := row*c.StrideH-c.PadTop+tap/c.KernelW%c.KernelH, col*c.StrideW-c.PadLeft+tap%c.KernelW
				if wc == ch && y >= 0 && y < c.OutH && x0 >= 0 && x0 < c.OutW {
					sums[((b*c.OutH+y)*c.OutW+x0)*c.OutC+tap/c.KernelW/c.KernelH] += (int32(x) - c.InZero) * (int32(w) - c.WeightZero)
				}
			}
		}
		for i, acc := range sums {
			if c.Bias != nil {
				acc += c.Bias[i%c.OutC]
			}
			if want := int8(min(max(c.Output.Multipliers[i%c.OutC].Apply(acc)+c.Output.Zero, c.Output.Min), c.Output.Max)); out[i] != want {
				t.Fatalf("%+v, weights' zero point %d: output %d: got %d, want %d", c.Window, c.WeightZero, i, out[i], want)
			}
		}
	}
}

func TestAdd(t *testing.T) {
	each(t, 600, func(t *testing.T, s *Set, r values) {
		side := func() Addend {
			return Addend{int32(r.IntN(256)) - 128, fixed.Multiplier{M: 1<<30 + int32(r.Uint32()>>2), Shift: -int32(r.IntN(9))}, r.IntN(4) == 0}
		}
		a := Add{X: side(), Y: side(), Output: fixed.Multiplier{M: 1<<30 + int32(r.Uint32()>>2), Shift: -int32(r.IntN(23))},
			Zero: int32(r.IntN(256)) - 128, Min: -128 + int32(r.IntN(100)), Max: 127 - int32(r.IntN(100))}
		plain := []*Addend{&a.X, &a.Y, {}}[r.IntN(3)]
		plain.Factor = fixed.Multiplier{M: 1 << 30}
		s.PrepareAdd(&a)
		n := r.IntN(200)
		x, y, out := r.int8s(n), r.int8s(n), make([]int8, n)
		a.Run(x, y, out)
		for i := range out {
			sum := a.X.value(int32(x[i])) + a.Y.value(int32(y[i]))
			if want := int8(min(max(a.Output.Apply(sum)+a.Zero, a.Min), a.Max)); out[i] != want {
				t.Fatalf("%+v: %d+%d: got %d, want %d", a, x[i], y[i], out[i], want)
			}
		}
		overX, overY := slices.Clone(x), slices.Clone(y)
		a.Run(overX, y, overX)
		a.Run(x, overY, overY)
		if !slices.Equal(overX, out) || !slices.Equal(overY, out) {
			t.Fatalf("over an input: got %v and %v, want %v", overX, overY, out)
		}
	})
}

// usualAdd is a sum as networks have them.
func (r values) usualAdd() Add {
	return Add{X: Addend{Zero: int32(r.IntN(256)) - 128, Factor: fixed.Multiplier{M: 1 << 30}},
		Y:      Addend{Zero: int32(r.IntN(256)) - 128, Factor: fixed.Multiplier{M: 1<<30 + int32(r.Uint32()>>2), Shift: -int32(r.IntN(4)) - 1}},
		Output: fixed.Multiplier{M: 1<<30 + int32(r.Uint32()>>2), Shift: -int32(r.IntN(3)) - 17}, Zero: int32(r.IntN(256)) - 128, Min: -128, Max: 127}
}

// TestPairedAdd: for sums as networks have them the constants are nearly always
// found, and then they are right for every pair by construction.
func TestPairedAdd(t *testing.T) {
	r := values{rand.New(rand.NewPCG(3, 4))}
	found := 0
	const runs = 40
	for range runs {
		a := r.usualAdd()
		prepareAddGeneric(&a)
		if newPairedAdd(&a) != nil {
			found++
		}
	}
	if found < runs*9/10 {
		t.Errorf("found constants for %d of %d sums, want nearly all", found, runs)
	}
	t.Logf("found constants for %d of %d sums", found, runs)
}

func TestChoose(t *testing.T) {
	detected := func(name string, yes bool) *engine { return &engine{name: name, detected: func() bool { return yes }} }
	vast := detected("vast", false)
	vast.test = func() error { return nil } // asked for by name, it turns out to work
	cracked := detected("cracked", false)
	cracked.test = func() error { return errors.New("cracked: an illegal instruction") }
	modest := []*engine{detected("small", true), detected("middle", true), detected("large", false), vast, cracked}
	poor := []*engine{detected("large", false)}
	for _, c := range []struct {
		name    string
		engines []*engine
		want    string
		err     string
	}{
		{"", nil, "generic", ""},
		{"", modest, "middle", ""},
		{"", poor, "generic", ""},
		{"generic", modest, "generic", ""},
		{"small", modest, "small", ""},
		{"vast", modest, "vast", ""},
		{"large", modest, "", `kernel set "large": this processor cannot run it`},
		{"cracked", modest, "", "cracked: an illegal instruction"},
		{"abacus", modest, "", `kernel set "abacus": not in this program, which has generic, small, middle, large, vast, cracked`},
		{"abacus", nil, "", `kernel set "abacus": not in this program, which has generic`},
	} {
		s, err := choose(c.name, c.engines)
		if c.err != "" {
			if s != nil || err == nil || err.Error() != c.err {
				t.Errorf("%q: got %v, %v, want the error %q", c.name, s, err, c.err)
			}
			continue
		}
		if err != nil || s.Name != c.want || (s.engine == nil) != (c.want == "generic") || s.engine != nil && s.engine.name != c.want {
			t.Errorf("%q: got %+v, %v, want %q", c.name, s, err, c.want)
		}
	}
}

// TestDetected: of the sets in this program every one that is detected can be had
// by name, the others cannot without a test of their own, and the last one that
// is detected is the choice.
func TestDetected(t *testing.T) {
	want := "generic"
	for _, e := range engines() {
		t.Logf("%s: detected %t", e.name, e.detected())
		s, err := Choose(e.name)
		switch {
		case e.detected():
			want = e.name
			if err != nil || s.engine != e {
				t.Errorf("%s: got %v, %v", e.name, s, err)
			}
		case e.test == nil && (s != nil || err == nil):
			t.Errorf("%s: got %v, want an error", e.name, s)
		}
	}
	if s, err := Choose(""); err != nil || s.Name != want {
		t.Errorf("got %+v, %v, want %s", s, err, want)
	}
}
