package ptq

import (
	"os"
	"path/filepath"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// TestGoogleWeights holds our weights and biases against those of Google's
// converter for the same float model, given its activation scales: MLPerf Tiny
// anomaly detection, ten dense layers, one scale per tensor.
func TestGoogleWeights(t *testing.T) {
	read := func(name string) *graph.Graph {
		file, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "models", "mlperf_tiny", name))
		if err != nil {
			if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
				t.Fatal(err)
			}
			t.Skipf("reference models are absent: %v", err)
		}
		g, err := graph.FromTFLite(file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return g
	}
	float, google := read("ad01_fp32.tflite"), read("ad01_int8.tflite")
	if len(float.Nodes) != 10 || len(google.Nodes) != 10 {
		t.Fatalf("got %d and %d layers, want 10", len(float.Nodes), len(google.Nodes))
	}
	weights, biases := 0, 0
	for i := range float.Nodes {
		f, g := &float.Nodes[i], &google.Nodes[i]
		w, b := float.Tensor(f.Inputs[1]), float.Tensor(f.Inputs[2])
		in := google.Tensor(g.Inputs[0]).Quant.Scale()
		q, scales, err := channelScales(w.Float, b.Float, w.Shape[0], in, true)
		if err != nil {
			t.Fatal(err)
		}
		qb, _ := quantizeBias(b.Float, scales, in)
		wantW, wantB := google.Tensor(g.Inputs[1]), google.Tensor(g.Inputs[2])
		if scales[0] != wantW.Quant.Scale() {
			t.Errorf("layer %d: scale got %v, want %v", i, scales[0], wantW.Quant.Scale())
		}
		weights += differences(q, wantW.Int8)
		biases += differences(qb, wantB.Int32)
	}
	if weights != 0 || biases != 0 {
		t.Errorf("%d weights and %d biases differ from the converter's, want none", weights, biases)
	}
	if google.Tensor(google.Inputs[0]).Type != tensor.Int8 {
		t.Error("the reference is no int8 model")
	}
}

func differences[T comparable](a, b []T) int {
	if len(a) != len(b) {
		return max(len(a), len(b))
	}
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
