package emit

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/quant/pass"
	"kedge/quant/ptq"
	"kedge/runtime"
	"kedge/runtime/tensor"
)

// TestLoweredWindows takes windows whose padding has no name all the way to bytes
// that package runtime computes, and holds its answers against the float graph as
// it was before. All inputs are negative for the pools of maxima, whose border
// would be the greatest element if it were 0.
func TestLoweredWindows(t *testing.T) {
	w := graph.Window{StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, Pad: graph.Padding{Top: 1, Left: 1, Bottom: 1, Right: 1}}
	wide := graph.Window{StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, Pad: graph.Padding{Top: 2, Left: 2, Bottom: 2, Right: 2}}
	filter := shapes(tensor.Shape{5, 3, 3, 4}, tensor.Shape{5})
	for _, c := range []struct {
		name string
		written
	}{
		{"convolution", written{op: graph.Conv2D{Window: w}, constants: filter}},
		{"depthwise", written{op: graph.DepthwiseConv2D{Window: w, Multiplier: 1}, constants: shapes(tensor.Shape{1, 3, 3, 4}, tensor.Shape{4})}},
		{"maximum, mirrored", written{op: graph.MaxPool2D{Window: w, FilterH: 3, FilterW: 3}}},
		{"maximum, lowest", written{op: graph.MaxPool2D{Window: wide, FilterH: 3, FilterW: 3}}},
		{"mean", written{op: graph.AveragePool2D{Window: w, FilterH: 3, FilterW: 3}}},
		{"transposed", written{op: graph.TransposeConv{StrideH: 2, StrideW: 2, PadTop: 1, PadLeft: 1, OutputH: 16, OutputW: 16}, constants: filter}},
		{"transposed, beyond the taps", written{op: graph.TransposeConv{StrideH: 2, StrideW: 2, PadTop: 2, PadLeft: 1, OutputH: 20, OutputW: 19}, constants: filter}},
	} {
		c.activations = image
		g := c.build(t)
		lowered, _, err := pass.Lower(g)
		if err != nil {
			t.Fatal(err)
		}
		x := negative(40 * 8 * 8 * 4)
		for _, kind := range []tensor.Type{tensor.Int8, tensor.Int16} {
			if db := sqnr(t, g, deployed(t, lowered, x, kind), x); !(db >= 30) {
				t.Errorf("%s %v: got %.1f dB, want at least 30", c.name, kind, db)
			}
		}
	}
}

func negative(n int) []float32 {
	random := rand.New(rand.NewPCG(13, 14))
	x := make([]float32, n)
	for i := range x {
		x[i] = -1 - 2*random.Float32()
	}
	return x
}

// deployed calibrates, quantizes, writes and loads.
func deployed(t *testing.T, g *graph.Graph, x []float32, kind tensor.Type) *runtime.Session {
	t.Helper()
	s, err := calib.Collect(context.Background(), g, [][]float32{x}, calib.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ranges, err := s.Ranges(calib.MinMax())
	if err != nil {
		t.Fatal(err)
	}
	q, err := ptq.Quantize(g, ranges, ptq.Options{Activations: kind})
	if err != nil {
		t.Fatal(err)
	}
	file, err := Model(q)
	if err != nil {
		t.Fatal(err)
	}
	m, err := runtime.Load(file, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	session, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// sqnr is the signal-to-quantization-noise ratio in dB.
func sqnr(t *testing.T, g *graph.Graph, s *runtime.Session, x []float32) float64 {
	t.Helper()
	e, err := graph.NewExecutor(g)
	if err != nil {
		t.Fatal(err)
	}
	in, out := s.Inputs()[0], s.Outputs()[0]
	size, _ := tensor.Shape(in.Shape).Elements()
	signal, noise := 0.0, 0.0
	for ; len(x) > 0; x = x[size:] {
		want, err := e.Run([][]float32{x[:size]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range x[:size] {
			q := math.Round(float64(v)/float64(in.Scales[0])) + float64(in.ZeroPoints[0])
			if in.Type == tensor.Int16 {
				binary.LittleEndian.PutUint16(s.Input(0)[2*i:], uint16(int16(q)))
			} else {
				s.Input(0)[i] = byte(int8(q))
			}
		}
		if err := s.Invoke(); err != nil {
			t.Fatal(err)
		}
		for i, v := range want[0] {
			q := float64(int8(s.Output(0)[i]))
			if out.Type == tensor.Int16 {
				q = float64(int16(binary.LittleEndian.Uint16(s.Output(0)[2*i:])))
			}
			d := float64(v) - float64(out.Scales[0])*(q-float64(out.ZeroPoints[0]))
			signal, noise = signal+float64(v)*float64(v), noise+d*d
		}
	}
	return 10 * math.Log10(signal/noise)
}
