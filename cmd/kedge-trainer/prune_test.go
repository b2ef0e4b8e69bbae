package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"kedge/cmd/internal/cli"
	"kedge/telemetry/trust"
)

// TestPrunedBundle prunes and quantizes the image classifier of MLPerf Tiny as
// a person would, and holds what is sent to devices to 36 kB.
func TestPrunedBundle(t *testing.T) {
	const limit = 36_000
	shared := filepath.Join("..", "..", "..", "shared", "models")
	model := filepath.Join(shared, "mlperf_tiny", "pretrainedResnet.tflite")
	samples := filepath.Join(shared, "acceptance", "ic_calib.npz")
	for _, file := range []string{model, samples} {
		if _, err := os.Stat(file); err != nil {
			if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
				t.Fatal(err)
			}
			t.Skipf("reference models are absent: %v", err)
		}
	}
	for _, method := range []string{"global", "magnitude"} {
		t.Run(method, func(t *testing.T) {
			dir := t.TempDir()
			float, integer := filepath.Join(dir, "float.tflite"), filepath.Join(dir, "int8.tflite")
			mustRun(t, "prune", model, "--sparsity", "0.8", "--method", method, "--output", float)
			mustRun(t, "quantize", float, "--calibration", samples, "--method", "minmax", "--output", integer)
			file, err := os.ReadFile(integer)
			if err != nil {
				t.Fatal(err)
			}
			b := trust.Bundle{
				Manifest: trust.Manifest{Format: 1, Name: "ic", Version: 1, GoldenSamples: 1},
				Model:    file, Features: []byte("[]"), Reference: []byte("{}"), GoldenInput: []byte{1}, GoldenOutput: []byte{1},
			}
			sent, err := b.Encode()
			if err != nil {
				t.Fatal(err)
			}
			packed, err := packedSize(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("int8 %d bytes, compressed %d, bundle %d", len(file), packed, len(sent))
			if len(sent) > limit {
				t.Errorf("got a bundle of %d bytes, want at most %d", len(sent), limit)
			}
			if rest := len(sent) - packed; rest < 0 || rest > 2000 {
				t.Errorf("got %d bytes for the model, the bundle has %d", packed, len(sent))
			}
		})
	}
}

func mustRun(t *testing.T, args ...string) {
	t.Helper()
	var out, bad bytes.Buffer
	env := cli.Env{Stdin: &bytes.Buffer{}, Stdout: &out, Stderr: &bad}
	if code := program().Main(context.Background(), env, args); code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, bad.String())
	}
}
