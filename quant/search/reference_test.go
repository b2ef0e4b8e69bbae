package search_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/data"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/pass"
	"kedge/quant/search"
)

// TestPublishedModels quantizes float models of MLPerf Tiny and measures the
// result on samples that calibration and search have not seen.
func TestPublishedModels(t *testing.T) {
	for _, c := range []struct {
		name, model, calibration, test, x string
		sqnr, agreement, quality          float64 // at least
	}{
		{"image classification", "pretrainedResnet", "models/acceptance/ic_calib.npz", "models/acceptance/ic_test.npz", "x", 28.5, 0.96, 0.841},
		{"keyword spotting", "kws_ref_model_float32", "models/acceptance/kws_calib.npz", "models/acceptance/kws_test.npz", "x", 30, 0.985, 0.886},
		{"anomaly detection", "ad01_fp32", "data/ad01/ad01_100.npz", "data/ad01/ad01_100.npz", "calib_windows", 0, 0, 0.865},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := simplified(t, filepath.Join("models", "mlperf_tiny", c.model+".tflite"))
			reference, err := eval.Float(g)
			if err != nil {
				t.Fatal(err)
			}
			set := samples(t, reference, c.calibration, c.x)
			stats, err := calib.Collect(t.Context(), g, set.Values(), calib.Options{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := eval.Record(t.Context(), reference, set, eval.Options{})
			if err != nil {
				t.Fatal(err)
			}
			result, err := search.Run(t.Context(), g, stats, r, search.Options{})
			if err != nil {
				t.Fatal(err)
			}
			report(t, result)
			test := samples(t, reference, c.test, "x")
			y, err := eval.NewLabels(array(t, c.test, "y"), test.Count)
			if err != nil {
				t.Fatal(err)
			}
			device, err := eval.Device(result.File)
			if err != nil {
				t.Fatal(err)
			}
			got, err := eval.Compare(t.Context(), reference, device, test, y, eval.Options{})
			if err != nil {
				t.Fatal(err)
			}
			quality := got.Candidate.Accuracy
			if math.IsNaN(quality) {
				quality = got.Candidate.AUC
			}
			t.Logf("logit SQNR %.2f dB, agreement %.4f, accuracy or AUC %.4f", got.Logits, got.Agreement, quality)
			if got.Logits < c.sqnr {
				t.Errorf("logit SQNR: got %.2f dB, want at least %v", got.Logits, c.sqnr)
			}
			if got.Agreement < c.agreement {
				t.Errorf("agreement: got %.4f, want at least %v", got.Agreement, c.agreement)
			}
			if quality < c.quality {
				t.Errorf("accuracy or AUC: got %.4f, want at least %v", quality, c.quality)
			}
		})
	}
}

func report(t *testing.T, r *search.Result) {
	t.Helper()
	for _, try := range r.Tried {
		t.Logf("%v corrected %v: %.2f dB, agreement %.4f", try.Method, try.Corrected, try.Score.Logits, try.Score.Agreement)
	}
	for _, c := range r.Choices {
		t.Logf("%s: %v, %+.2f dB", c.Name, c.Method, c.Gain)
	}
	t.Logf("%v corrected %v: %.2f dB, then %.2f dB, %d evaluations on %d samples", r.Method, r.Corrected, r.Base, r.Final, r.Evaluations, r.Samples)
}

// simplified reads a float model.
func simplified(t *testing.T, path string) *graph.Graph {
	t.Helper()
	g, err := graph.FromTFLite(shared(t, path))
	if err != nil {
		t.Fatal(err)
	}
	if g, err = g.Dequantize(); err != nil {
		t.Fatal(err)
	}
	if g, _, err = pass.Simplify(g); err != nil {
		t.Fatal(err)
	}
	return g
}

func samples(t *testing.T, m eval.Model, path, name string) *eval.Set {
	t.Helper()
	set, err := eval.NewSet(m.Inputs(), []data.Array{array(t, path, name)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func array(t *testing.T, path, name string) data.Array {
	t.Helper()
	shared(t, path)
	arrays, err := data.ReadNPZ(sharedPath(path), 1<<28, name)
	if err != nil {
		t.Fatal(err)
	}
	return arrays[0]
}

func sharedPath(path string) string {
	return filepath.Join("..", "..", "..", "shared", filepath.FromSlash(path))
}

func shared(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.ReadFile(sharedPath(path))
	if err != nil {
		if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
			t.Fatal(err)
		}
		t.Skipf("reference models are absent: %v", err)
	}
	return file
}
