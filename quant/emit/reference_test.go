package emit_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"kedge/quant/emit"
	"kedge/quant/graph"
	"kedge/runtime/runtimetest"
)

// TestReferenceRoundTrip: what is read from models of other writers, as it is and
// dequantized, is read again from what is written of it.
func TestReferenceRoundTrip(t *testing.T) {
	var files []string
	for _, pattern := range []string{"models/mlperf_tiny/*.tflite", "models/*.tflite", "conformance/*/model.tflite", "conformance/ops/*/model.tflite", "conformance/seanet/*/model.tflite"} {
		more, err := filepath.Glob(filepath.Join(runtimetest.Shared(t), pattern))
		if err != nil || len(more) == 0 {
			t.Fatalf("%s: no models (%v)", pattern, err)
		}
		files = append(files, more...)
	}
	read := 0
	for _, name := range files {
		file, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		g, err := graph.FromTFLite(file)
		if err != nil {
			continue // TestImportConformance of package graph says which may be refused
		}
		read++
		roundTrip(t, name, g)
		if g, err = g.Dequantize(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		roundTrip(t, name+", dequantized", g)
	}
	if read < 200 {
		t.Errorf("read %d of %d models", read, len(files))
	}
}

func roundTrip(t *testing.T, name string, g *graph.Graph) {
	t.Helper()
	file, err := emit.Model(g)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	again, err := graph.FromTFLite(file)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !reflect.DeepEqual(again, g) {
		t.Errorf("%s: got %d nodes on %d tensors that are not those written, %d on %d", name, len(again.Nodes), len(again.Tensors), len(g.Nodes), len(g.Tensors))
	}
}
