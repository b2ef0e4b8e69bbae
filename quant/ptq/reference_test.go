package ptq

import (
	"os"
	"path/filepath"
	"testing"

	"kedge/quant/graph"
)

func reference(t *testing.T, name string) *graph.Graph {
	t.Helper()
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

// TestGoogleWeights quantizes the float models of MLPerf Tiny with the
// activation parameters of Google's int8 files and holds weights, biases and
// their scales against those files: image classification (a residual network),
// anomaly detection (ten dense layers) and visual wake words (MobileNet).
// FULLY_CONNECTED has one scale for each tensor there.
func TestGoogleWeights(t *testing.T) {
	for _, c := range []struct {
		float, google string
		weights       int
		biases        int
	}{
		{"pretrainedResnet.tflite", "pretrainedResnet_quant.tflite", 77360, 346},
		{"ad01_fp32.tflite", "ad01_int8.tflite", 264192, 1672},
		{"vww_96_float.tflite", "vww_96_int8.tflite", 208112, 2738},
	} {
		t.Run(c.float, func(t *testing.T) {
			float, google := reference(t, c.float), reference(t, c.google)
			given, err := Like(float, google)
			if err != nil {
				t.Fatal(err)
			}
			q, err := Quantize(float, nil, Options{PerTensor: true, Given: given})
			if err != nil {
				t.Fatal(err)
			}
			mine, theirs := computing(q), computing(google)
			if len(mine) != len(theirs) {
				t.Fatalf("got %d operators, want %d", len(mine), len(theirs))
			}
			d := difference{t: t}
			for i := range mine {
				d.node(q, google, mine[i], theirs[i])
			}
			if d.weights != c.weights || d.weightsOff != 0 {
				t.Errorf("%d of %d weights differ, want 0 of %d", d.weightsOff, d.weights, c.weights)
			}
			if d.biases != c.biases || d.biasesOff != 0 {
				t.Errorf("%d of %d biases differ, want 0 of %d", d.biasesOff, d.biases, c.biases)
			}
		})
	}
}

// difference counts what two quantized graphs have in their constants.
type difference struct {
	t                                      *testing.T
	weights, weightsOff, biases, biasesOff int
}

func (d *difference) node(mine, theirs *graph.Graph, a, b *graph.Node) {
	d.t.Helper()
	if a.Op.Name() != b.Op.Name() {
		d.t.Fatalf("got %s, want %s", a.Op.Name(), b.Op.Name())
	}
	for i, id := range a.Outputs {
		if got, want := mine.Tensor(id).Quant, theirs.Tensor(b.Outputs[i]).Quant; !equal(got, want) {
			d.t.Errorf("%s: output %v, want %v", a.Op.Name(), got, want)
		}
	}
	if _, ok := filterAxis(a.Op); !ok {
		return
	}
	w, v := mine.Tensor(a.Inputs[1]), theirs.Tensor(b.Inputs[1])
	if !equal(w.Quant, v.Quant) || w.Quant.Dim != v.Quant.Dim {
		d.t.Errorf("%s %q: weight scales along dimension %d differ from the converter's along %d", a.Op.Name(), w.Name, w.Quant.Dim, v.Quant.Dim)
	}
	for i, x := range w.Int8 {
		d.weights++
		if x != v.Int8[i] {
			d.weightsOff++
		}
	}
	bias, want := mine.Tensor(a.Inputs[2]).Int32, theirs.Tensor(b.Inputs[2]).Int32
	for i, x := range bias {
		d.biases++
		if x != want[i] {
			d.biasesOff++
		}
	}
}
