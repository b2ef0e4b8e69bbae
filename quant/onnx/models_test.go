package onnx

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kedge/quant/data"
	"kedge/quant/graph"
)

// TestModels holds the float logits of three trained models against those that
// were stored with them: convolutions, depthwise, residual, with and without
// batch normalization; dense layers.
func TestModels(t *testing.T) {
	tests := []struct {
		model, data, x, logits string
		scale                  float32 // of the model's input
		perm                   []int
	}{
		{"cnn_mnist_opset13.onnx", "cnn_mnist_testdata.npz", "x_u8", "float_logits", 255, []int{0, 2, 3, 1}},
		{"cnn_mnist_bn_opset13.onnx", "cnn_mnist_testdata.npz", "x_u8", "float_logits", 255, []int{0, 2, 3, 1}},
		{"mlp_digits_opset13.onnx", "mlp_digits_data.npz", "x_test", "float_logits_test", 16, nil},
	}
	for _, tt := range tests {
		t.Run(tt.model, func(t *testing.T) {
			file := shared(t, tt.model)
			arrays, err := data.ReadNPZ(filepath.Join(sharedModels, tt.data), 1<<30, tt.x, tt.logits)
			if err != nil {
				t.Fatal(err)
			}
			x, err := arrays[0].Float32s()
			if err != nil {
				t.Fatal(err)
			}
			want, err := arrays[1].Float32s()
			if err != nil {
				t.Fatal(err)
			}
			for i := range x {
				x[i] /= tt.scale
			}
			m, err := Import(file, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Inputs[0].Perm; !slices.Equal(got, tt.perm) {
				t.Errorf("permutation of the input: got %v, want %v", got, tt.perm)
			}
			if worst := logitError(t, m, x, want); !(worst <= 1e-4) {
				t.Errorf("logits differ by %v, want at most 1e-4", worst)
			}
		})
	}
}

// logitError runs the first samples and returns the greatest difference.
func logitError(t *testing.T, m *Model, x, want []float32) float64 {
	t.Helper()
	e, err := graph.NewExecutor(m.Graph)
	if err != nil {
		t.Fatal(err)
	}
	in := m.Inputs[0]
	size, _ := in.Shape.Elements()
	classes, _ := m.Outputs[0].Shape.Elements()
	worst := 0.0
	for i := range 200 {
		sample := &Tensor{Shape: in.Shape, Float: x[i*size : (i+1)*size]}
		values := sample.Float
		if in.Perm != nil {
			values = rearranged(sample, in.Perm)
		}
		out, err := e.Run([][]float32{values}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for j, v := range out[0] {
			worst = max(worst, math.Abs(float64(v-want[i*classes+j])))
		}
	}
	return worst
}

var sharedModels = filepath.Join("..", "..", "..", "shared", "models")

func shared(t *testing.T, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(sharedModels, name))
	if err != nil {
		if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
			t.Fatal(err)
		}
		t.Skipf("reference models are absent: %v", err)
	}
	return file
}
