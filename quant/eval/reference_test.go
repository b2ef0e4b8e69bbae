package eval

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"kedge/quant/data"
)

// TestPublishedModels measures Google's int8 files of MLPerf Tiny beside the
// float ones, on labeled samples. What is wanted was measured with TensorFlow
// Lite Micro's reference kernels on the same samples.
func TestPublishedModels(t *testing.T) {
	shared := filepath.Join("..", "..", "..", "shared")
	for _, c := range []struct {
		name, float, int8, samples string
		floatRight, right          float64 // accuracy, or AUC
		sqnr                       float64 // of the logits, to a tenth
	}{
		{"image classification", "pretrainedResnet", "pretrainedResnet_quant", "models/acceptance/ic_test.npz", 0.855, 0.865, 27.2},
		{"keyword spotting", "kws_ref_model_float32", "kws_ref_model", "models/acceptance/kws_test.npz", 0.8960, 0.8960, 28.8},
		{"anomaly detection", "ad01_fp32", "ad01_int8", "data/ad01/ad01_100.npz", 0.8654, 0.8442, math.NaN()},
	} {
		t.Run(c.name, func(t *testing.T) {
			open := func(name string) Model {
				file, err := os.ReadFile(filepath.Join(shared, "models", "mlperf_tiny", name+".tflite"))
				if err != nil {
					if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
						t.Fatal(err)
					}
					t.Skipf("reference models are absent: %v", err)
				}
				m, err := Open(file)
				if err != nil {
					t.Fatal(err)
				}
				return m
			}
			reference, candidate := open(c.float), open(c.int8)
			arrays, err := data.ReadNPZ(filepath.Join(shared, filepath.FromSlash(c.samples)), 1<<28, "x", "y")
			if err != nil {
				t.Fatal(err)
			}
			s, err := NewSet(reference.Inputs(), arrays[:1], nil)
			if err != nil {
				t.Fatal(err)
			}
			y, err := NewLabels(arrays[1], s.Count)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Compare(t.Context(), reference, candidate, s, y, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []struct {
				name      string
				got, want float64
				within    float64
			}{
				{"float", quality(got.Reference), c.floatRight, 0.00005},
				{"int8", quality(got.Candidate), c.right, 0.00005},
				{"logit SQNR", got.Logits, c.sqnr, 0.05},
			} {
				if math.Abs(v.got-v.want) > v.within {
					t.Errorf("%s: got %.4f, want %.4f", v.name, v.got, v.want)
				}
			}
		})
	}
}

// quality is the accuracy or the AUC.
func quality(r *Result) float64 {
	if r.Task == Reconstruction {
		return r.AUC
	}
	return r.Accuracy
}
