package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/cmd/internal/cli"
	"kedge/runtime/runtimetest"
)

// TestKeywords says yes and no to TensorFlow's keyword model behind its front end.
func TestKeywords(t *testing.T) {
	labels := filepath.Join(t.TempDir(), "labels.txt")
	if err := os.WriteFile(labels, []byte("silence\nunknown\nyes\nno\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for sound, want := range map[string]string{"yes": "yes", "no": "no", "silence": "silence", "noise": "silence"} {
		args := []string{
			"infer", runtimetest.Shared(t, "conformance", "micro_speech_quantized", "model.tflite"), "--labels", labels,
			"--features", runtimetest.Shared(t, "conformance", "extra", "audio_preprocessor_int8", "model.tflite"),
			"--wav", runtimetest.Shared(t, "data", "media", sound+"_1000ms.wav"),
		}
		var out, errs bytes.Buffer
		code := program().Main(t.Context(), cli.Env{Stdout: &out, Stderr: &errs}, args)
		if fields := strings.Fields(out.String()); code != 0 || len(fields) != 4 || fields[0] != "0.990" || fields[3] != want {
			t.Errorf("%s: got %d, %q, %q, want one answer at 0.990 s, %s", sound, code, out.String(), errs.String(), want)
		}
	}
}
