package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/cmd/internal/cli"
	"kedge/runtime"
	"kedge/runtime/runtimetest"
)

// fakeLiteRT is a Python package with the interpreter's interface, for a model
// of one input and one output that adds one; fakeNumpy is as much of numpy as
// the program in compare_litert.py uses.
const fakeLiteRT = `
class Interpreter:
    def __init__(self, model_path, num_threads):
        open(model_path, "rb").close()
        assert num_threads == 1
    def allocate_tensors(self): pass
    def get_input_details(self): return [{"index": 0, "shape": [1, 4], "dtype": "int8"}]
    def get_output_details(self): return [{"index": 1}]
    def set_tensor(self, index, value): self.x = value
    def invoke(self): pass
    def get_tensor(self, index): return Result(self.x)
class Result:
    def __init__(self, x): self.x = x
    def tobytes(self): return bytes(b if b == 127 else (b + 1) % 256 for b in self.x.data)
`

const fakeNumpy = `
int64 = "int64"
class dtype:
    def __init__(self, kind): self.itemsize = {"int8": 1}[kind]
def prod(shape, dtype):
    n = 1
    for d in shape: n *= d
    return n
class frombuffer:
    def __init__(self, data, dtype): self.data = data
    def reshape(self, shape): assert len(self.data) == prod(shape, None); return self
`

// TestPythonProgram runs the program that compare gives to Python.
func TestPythonProgram(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("no python3 in PATH")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"ai_edge_litert/__init__.py": "", "ai_edge_litert/interpreter.py": fakeLiteRT, "numpy.py": fakeNumpy} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	model := filepath.Join(dir, "net.tflite")
	file := runtimetest.Successor().Bytes()
	if err := os.WriteFile(model, file, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PYTHONPATH", dir)
	t.Setenv("PYTHONDONTWRITEBYTECODE", "1")
	m, err := runtime.Load(file, runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSamples(m)
	if err != nil {
		t.Fatal(err)
	}
	p := peer{model: model, dir: t.TempDir(), samples: s, n: 3, threads: 1, timeout: time.Minute}
	r, absent, err := p.run(t.Context())
	if err != nil || r == nil {
		t.Fatalf("got %v, %v, %v, want times", r, absent, err)
	}
	if !strings.HasPrefix(r.Program, "ai_edge_litert ") || !strings.Contains(r.Program, ", Python 3") || r.Median < r.Min {
		t.Errorf("got %+v", r)
	}
	if *r.Results != (difference{Bytes: 32}) {
		t.Errorf("results: got %+v, want 32 bytes that are the same", *r.Results)
	}
}

func TestDiffer(t *testing.T) {
	s := samples{outputs: []byte{127, 1, 2, 3, 0x80, 1, 2, 3}, types: []runtime.DataType{runtime.Int8, runtime.Uint8, runtime.Float32, runtime.Float32}}
	got, err := s.differ([]byte{0x80, 0, 2, 99, 0x80, 1, 2, 3})
	if want := (difference{Bytes: 8, Differ: 3, Most: 255}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got, err := s.differ(nil); err == nil {
		t.Errorf("no bytes: got %+v, want an error", got)
	}
}

// A child that prints without end is ended, and fills no memory.
func TestChildOutput(t *testing.T) {
	_, err := runChild(t.Context(), 200*time.Millisecond, "sh", "-c", "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done")
	if err == nil || !strings.Contains(err.Error(), "not done after") {
		t.Errorf("got %v, want that it was not done", err)
	}
	var b limitedBuffer
	for range 3 {
		if n, err := b.Write(make([]byte, childOutput)); n != childOutput || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}
	if b.Len() != childOutput {
		t.Errorf("kept %d bytes, want %d", b.Len(), childOutput)
	}
}

// The report of a hot board says so, in both forms.
func TestCompareReport(t *testing.T) {
	r := compareReport{Failed: "x"}
	text := `{"temperatures": [{"name": "cpu-thermal", "celsius": 84.5}], "vcgencmd": "throttled=0x4",
		"clocks": [{"name": "policy0", "governor": "ondemand", "khz": 600000, "limit_khz": 1000000, "max_khz": 1500000}],
		"throttle": [{"name": "cpufreq-cpu0", "value": 2}]}`
	if err := json.Unmarshal([]byte(text), &r.After); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	want := "after     THROTTLED: cpu-thermal 84.5 C, policy0 600 of 1500 MHz (ondemand, limit 1000), cpufreq-cpu0 at step 2, vcgencmd throttled=0x4\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("got:\n%swant at its end:\n%s", out.String(), want)
	}
}

// The firmware's upper bits tell of what is over.
func TestFirmwareThrottled(t *testing.T) {
	for text, want := range map[string]bool{"": false, "throttled=0x0": false, "throttled=0x50000": false, "throttled=0x50005": true, "nonsense": false} {
		if s := (boardState{Firmware: text}); s.throttled() != want {
			t.Errorf("%q: got %v, want %v", text, !want, want)
		}
	}
}

func TestCompareInterrupted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net.tflite")
	if err := os.WriteFile(path, runtimetest.Successor().Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errs bytes.Buffer
	env := cli.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
	if code := program().Main(ctx, env, []string{"compare", path}); code != cli.ExitFailure || out.Len() > 0 || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("got exit code %d, %q, %q, want a failure that says interrupted", code, out.String(), errs.String())
	}
}
