package runtime_test

import (
	"bytes"
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
)

// otherMACs are the cases whose description counts multiplications in another
// way than this package does: SVDF for one row of the batch, a time-major LSTM
// with the number of steps squared.
var otherMACs = map[string]int64{
	"svdf_02":                         2 * 70,
	"unidirectional_sequence_lstm_02": 12000 / 5,
}

func TestConformance(t *testing.T) {
	for _, set := range []string{".", "ops", "seanet", "extra", "uint8", "uint8/ops"} {
		for _, c := range runtimetest.Cases(t, set) {
			t.Run(set+"/"+c.Name, func(t *testing.T) { conform(t, &c) })
		}
	}
}

// emulatedMACs is the most multiplications of a model that runs with -short.
const emulatedMACs = 400_000_000

func conform(t *testing.T, c *runtimetest.Case) {
	if testing.Short() && c.MACs > emulatedMACs {
		t.Skipf("-short: %d M multiplications", c.MACs/1_000_000)
	}
	m, err := runtime.Load(c.File(t, "model.tflite"), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	macs := c.MACs
	if n, ok := otherMACs[c.Name]; ok {
		macs = n
	}
	if m.MACs() != macs {
		t.Errorf("MACs: got %d, want %d", m.MACs(), macs)
	}
	shared, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in, want := c.File(t, "input.bin"), c.File(t, "output.bin")
	n := samples(t, c)
	if got := run(t, c, shared, in, n, nil); !bytes.Equal(got, want[:len(got)]) {
		t.Errorf("outputs: %d of %d bytes differ", differ(got, want), len(got))
	}
	if n := c.Oracle.ArenaBytes; m.ArenaBytes() > n && (n > 0 || c.HasLayers != "") {
		t.Errorf("arena: got %d bytes, more than the reference's %d", m.ArenaBytes(), n)
	}
	if c.HasLayers != "" {
		conformLayers(t, c, m, in)
	}
}

// conformLayers compares every tensor of a session in which none shares memory.
func conformLayers(t *testing.T, c *runtimetest.Case, m *runtime.Model, in []byte) {
	separate, err := m.NewSession(runtime.SessionOptions{Separate: true})
	if err != nil {
		t.Fatal(err)
	}
	layers := c.Layers(t).Samples
	last := 0
	for _, s := range layers {
		last = max(last, s.Sample)
	}
	seen := 0
	run(t, c, separate, in, last+1, func(sample int) {
		for _, s := range layers {
			if s.Sample != sample {
				continue
			}
			seen++
			if got := len(separate.Computed()); got != len(s.Tensors) {
				t.Errorf("sample %d: got %d computed tensors, want %d", sample, got, len(s.Tensors))
			}
			for _, want := range s.Tensors {
				if got := runtimetest.Hash(separate.Tensor(want.Tensor)); got != want.Hash {
					t.Fatalf("sample %d, tensor %d %s: got hash %s, want %s", sample, want.Tensor, want.Name, got, want.Hash)
				}
			}
		}
	})
	if seen != len(layers) || seen == 0 {
		t.Errorf("compared %d samples, want %d", seen, len(layers))
	}
}

// run feeds n samples and returns the concatenated outputs; after is called
// behind each.
func run(t *testing.T, c *runtimetest.Case, s *runtime.Session, in []byte, n int, after func(sample int)) []byte {
	t.Helper()
	var out []byte
	for sample := range n {
		if c.StatePolicy == "variables reset before every sample" {
			s.Reset()
		}
		for i := range s.Inputs() {
			in = in[copy(s.Input(i), in):]
		}
		if err := s.Invoke(); err != nil {
			t.Fatal(err)
		}
		for i := range s.Outputs() {
			out = append(out, s.Output(i)...)
		}
		if after != nil {
			after(sample)
		}
	}
	return out
}

// samples is how many of a case's samples to run: all, or few with -short, as
// under emulation.
func samples(t *testing.T, c *runtimetest.Case) int {
	if testing.Short() {
		return min(c.Samples, max(1, int(4_000_000/max(c.MACs, 1))))
	}
	return c.Samples
}

func differ(a, b []byte) int {
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
