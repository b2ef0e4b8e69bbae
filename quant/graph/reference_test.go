package graph_test

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kedge/quant/data"
	"kedge/quant/graph"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
)

func shared(t *testing.T, path ...string) *graph.Graph {
	t.Helper()
	file, err := os.ReadFile(runtimetest.Shared(t, path...))
	if err != nil {
		t.Fatal(err)
	}
	g, err := graph.FromTFLite(file)
	if err != nil {
		t.Fatalf("%s: %v", filepath.Join(path...), err)
	}
	return g
}

// TestImportReferenceModels: MLPerf Tiny's models, float, hybrid and int8.
func TestImportReferenceModels(t *testing.T) {
	for _, c := range []struct {
		file           string
		nodes, tensors int
	}{
		{"ad01_fp32.tflite", 10, 31}, {"ad01_int8.tflite", 10, 31},
		{"kws_ref_model_float32.tflite", 13, 34}, {"kws_ref_model.tflite", 13, 34},
		{"pretrainedResnet.tflite", 16, 37}, {"pretrainedResnet_quant.tflite", 16, 37},
		{"vww_96_float.tflite", 31, 88}, {"vww_96_int8.tflite", 31, 88},
	} {
		g := shared(t, "models", "mlperf_tiny", c.file)
		if len(g.Nodes) != c.nodes || len(g.Tensors) != c.tensors {
			t.Errorf("%s: got %d nodes and %d tensors, want %d and %d", c.file, len(g.Nodes), len(g.Tensors), c.nodes, c.tensors)
		}
		f, err := g.Dequantize()
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if _, err := graph.NewExecutor(f); err != nil {
			t.Errorf("%s: %v", c.file, err)
		}
	}
}

// TestImportReferenceAccuracy: the float graphs answer as these models do
// elsewhere, those of int8 files nearly so.
func TestImportReferenceAccuracy(t *testing.T) {
	for _, c := range []struct {
		model, samples string
		correct, of    int
	}{
		{"pretrainedResnet.tflite", "ic_test.npz", 171, 200},
		{"pretrainedResnet_quant.tflite", "ic_test.npz", 173, 200},
		{"kws_ref_model_float32.tflite", "kws_test.npz", 801, 894}, // hybrid: float with int8 weights
		{"kws_ref_model.tflite", "kws_test.npz", 802, 894},
	} {
		g, err := shared(t, "models", "mlperf_tiny", c.model).Dequantize()
		if err != nil {
			t.Fatal(err)
		}
		x, y := samples(t, c.samples)
		e, err := graph.NewExecutor(g)
		if err != nil {
			t.Fatal(err)
		}
		size, correct := len(x)/len(y), 0
		for i, class := range y {
			out, err := e.Run([][]float32{x[i*size : (i+1)*size]}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Index(out[0], slices.Max(out[0])) == class {
				correct++
			}
		}
		if correct != c.correct || len(y) != c.of {
			t.Errorf("%s: got %d of %d right, want %d of %d", c.model, correct, len(y), c.correct, c.of)
		}
	}
}

// samples reads a set of samples with their classes.
func samples(t *testing.T, file string) (x []float32, y []int) {
	t.Helper()
	arrays, err := data.ReadNPZ(runtimetest.Shared(t, "models", "acceptance", file), 1<<28, "x", "y")
	if err == nil {
		x, err = arrays[0].Float32s()
	}
	if err == nil {
		y, err = arrays[1].Ints()
	}
	if err != nil {
		t.Fatal(err)
	}
	return x, y
}

// TestImportConformance: the float graph of every operator's quantized model
// gives TensorFlow's answers, but for the rounding of one step; what cannot be
// read is refused for its operators.
func TestImportConformance(t *testing.T) {
	for set, want := range map[string]int{"ops": 132, "seanet": 71} {
		read := 0
		for _, c := range runtimetest.Cases(t, set) {
			g, err := graph.FromTFLite(c.File(t, "model.tflite"))
			if errors.Is(err, graph.ErrUnsupported) {
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.Name, err)
				continue
			}
			read++
			steps := 1.5
			if c.Kind == "int16x8" {
				steps = 16 // of which there are 2¹⁶; TensorFlow looks functions up in tables
			}
			if worst := distance(t, g, &c); worst > steps {
				t.Errorf("%s: %v steps from the quantized output, want at most %v", c.Name, worst, steps)
			}
		}
		if read != want {
			t.Errorf("%s: got %d models read, want %d", set, read, want)
		}
	}
}

// distance is the greatest difference between g, dequantized, and the outputs of
// a case, in steps of their scale.
func distance(t *testing.T, g *graph.Graph, c *runtimetest.Case) float64 {
	t.Helper()
	f, err := g.Dequantize()
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	e, err := graph.NewExecutor(f)
	if err != nil {
		t.Fatalf("%s: %v", c.Name, err)
	}
	in, out, worst := c.File(t, "input.bin"), c.File(t, "output.bin"), 0.0
	for range c.Samples {
		var x [][]float32
		for _, id := range g.Inputs {
			x = append(x, decode(g.Tensor(id), &in))
		}
		y, err := e.Run(x, nil)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		for i, id := range g.Outputs {
			step := float32(1)
			lo, hi := float32(math.Inf(-1)), float32(math.Inf(1))
			if q := g.Tensor(id).Quant; len(q.Scales) > 0 {
				step = q.Scale()
				first, last, _ := g.Tensor(id).Type.Range()
				lo, hi = step*float32(first-q.ZeroPoint()), step*float32(last-q.ZeroPoint())
			}
			for j, want := range decode(g.Tensor(id), &out) {
				worst = max(worst, math.Abs(float64((min(max(y[i][j], lo), hi)-want)/step)))
			}
		}
	}
	return worst
}

// decode takes one tensor's values off the front of b, as real numbers.
func decode(t *graph.Tensor, b *[]byte) []float32 {
	n, _ := t.Shape.Elements()
	out := make([]float32, n)
	for i := range out {
		q := int32(0)
		switch t.Type {
		case tensor.Float32:
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32((*b)[4*i:]))
			continue
		case tensor.Int8:
			q = int32(int8((*b)[i]))
		case tensor.Uint8:
			q = int32((*b)[i])
		case tensor.Int16:
			q = int32(int16(binary.LittleEndian.Uint16((*b)[2*i:])))
		}
		out[i] = t.Quant.Scale() * float32(q-t.Quant.ZeroPoint())
	}
	*b = (*b)[n*t.Type.Bits()/8:]
	return out
}
