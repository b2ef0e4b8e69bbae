package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// layers says which packages of this module a package may import: the whole
// table, so that the direction of every import is decided here. "x/*" stands
// for the packages that the table lists below x, helpers of tests excepted.
var layers = map[string]string{
	"cmd/internal/cli": "",
	"cmd/e2e":          "", // tests alone

	"runtime/tensor":      "",
	"runtime/fixed":       "",
	"runtime/dsp":         "",
	"runtime/tflite":      "runtime/tensor",
	"runtime/plan":        "",
	"runtime/kernel":      "runtime/fixed",
	"runtime/op":          "runtime/tensor runtime/fixed runtime/dsp runtime/tflite runtime/kernel",
	"runtime/feature":     "runtime/tensor runtime/dsp",
	"runtime":             "runtime/tensor runtime/tflite runtime/plan runtime/kernel runtime/op",
	"runtime/runtimetest": "runtime runtime/*",

	"quant/data":   "runtime/tensor runtime/feature",
	"quant/graph":  "runtime/tensor runtime/tflite",
	"quant/onnx":   "quant/graph runtime/tensor",
	"quant/pass":   "quant/graph runtime/tensor",
	"quant/calib":  "quant/graph runtime/tensor",
	"quant/ptq":    "quant/graph quant/calib runtime/tensor runtime/fixed",
	"quant/prune":  "quant/graph quant/pass runtime/tensor",
	"quant/emit":   "quant/graph runtime/tensor runtime/tflite",
	"quant/eval":   "quant/graph quant/data runtime runtime/tensor",
	"quant/search": "quant/* runtime runtime/tensor",
	"quant/report": "quant/* runtime runtime/tensor",

	"telemetry/form":       "",
	"telemetry/wire":       "telemetry/form",
	"telemetry/trust":      "telemetry/form",
	"telemetry/audit":      "telemetry/trust",
	"telemetry/event":      "",
	"telemetry/mqtt":       "telemetry/wire",
	"telemetry/serialport": "",
	"telemetry/console":    "telemetry/event telemetry/serialport",
	"telemetry/metrics":    "",
	"telemetry/local":      "telemetry/event telemetry/metrics",

	"boards": "",

	"agent/buffer":         "",
	"agent/drift":          "",
	"agent/drift/estimate": "",
	"agent/drift/inputs":   "agent/drift",
	"agent/drift/replay":   "agent/drift agent/drift/inputs",
	"agent/drift/signal":   "",
	"agent/source":         "telemetry/mqtt telemetry/serialport",
	"agent/pipeline":       "runtime runtime/feature agent/source agent/buffer agent/drift agent/drift/estimate agent/drift/inputs agent/drift/signal",
	"agent/update":         "runtime telemetry/wire telemetry/trust telemetry/event telemetry/audit",
	"agent":                "agent/* telemetry/* boards runtime",

	"trainer/store":   "",
	"trainer/dataset": "trainer/store telemetry/wire runtime/feature quant/data",
	"trainer/train":   "trainer/dataset quant/*",
	"trainer/tune":    "",
	"trainer/release": "trainer/store telemetry/wire telemetry/trust agent/drift agent/drift/estimate agent/drift/inputs agent/drift/signal runtime runtime/feature", // computes golden vectors
	"trainer/jobs":    "agent/drift/estimate agent/drift/inputs telemetry/trust trainer/store trainer/dataset trainer/train trainer/tune trainer/release quant/*",
	"trainer/fleet":   "trainer/store trainer/release telemetry/wire telemetry/audit telemetry/mqtt agent/drift",
	"trainer/web":     "trainer/store trainer/fleet trainer/jobs trainer/dataset trainer/tune trainer/release",
	"trainer/sim":     "agent telemetry/*",
	"trainer":         "trainer/* telemetry/*",
	"trainer/demo":    "trainer trainer/* telemetry/*",

	"cmd/kedge":         "agent agent/* boards runtime telemetry/* cmd/internal/cli",
	"cmd/kedge-trainer": "trainer trainer/* quant/* runtime telemetry/* cmd/internal/cli",
}

// testHelpers exist for tests alone; no other package imports them.
var testHelpers = []string{"runtime/runtimetest"}

const module = "kedge"

// mayImport reports whether the table lets one package import another, both relative to the module.
func mayImport(from, to string) bool {
	if slices.Contains(testHelpers, to) {
		return false
	}
	for _, allowed := range strings.Fields(layers[from]) {
		below, wildcard := strings.CutSuffix(allowed, "/*")
		if allowed == to || wildcard && strings.HasPrefix(to, below+"/") && layersHas(to) {
			return true
		}
	}
	return false
}

func layersHas(pkg string) bool { _, ok := layers[pkg]; return ok }

type listed struct {
	ImportPath string
	Name       string
	Imports    []string
}

func goList(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Name,Imports"}, args...)...)
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v\n%s", args, err, stderr.Bytes())
	}
	var pkgs []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatalf("go list %v: %v", args, err)
		}
		pkgs = append(pkgs, p)
	}
}

// TestLayers holds every package to the table.
func TestLayers(t *testing.T) {
	for _, p := range goList(t, "./...") {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		if p.Name == "main" && !strings.HasPrefix(from, "cmd/") {
			continue // a generator: linked into nothing
		}
		if !layersHas(from) {
			t.Errorf("package %s is not in the table", from)
			continue
		}
		for _, path := range p.Imports {
			if to, ours := strings.CutPrefix(path, module+"/"); ours && !mayImport(from, to) {
				t.Errorf("%s imports %s, which the table does not allow", from, to)
			}
		}
	}
}

// TestDeviceDependencies keeps what belongs to the centre out of the device's binary.
func TestDeviceDependencies(t *testing.T) {
	forbidden := []string{
		module + "/quant", module + "/trainer", "gonum.org", "modernc.org", "database/sql",
		"github.com/mochi-mqtt", "github.com/jackc/pgx", "testing",
	}
	for _, p := range goList(t, "-deps", "./cmd/kedge") {
		for _, f := range forbidden {
			if p.ImportPath == f || strings.HasPrefix(p.ImportPath, f+"/") {
				t.Errorf("kedge links %s", p.ImportPath)
			}
		}
	}
}

// The table is only as good as its matching.
func TestMayImport(t *testing.T) {
	tests := []struct {
		from, to string
		want     bool
	}{
		{"runtime", "runtime/op", true},
		{"runtime/op", "runtime", false},
		{"agent", "agent/update", true},
		{"agent", "trainer", false},
		{"runtime/runtimetest", "runtime/kernel", true},
		{"quant/search", "quant/emit", true},
		{"runtime", "runtime/runtimetest", false},
		{"trainer", "telemetry/unlisted", false},
	}
	for _, tt := range tests {
		if got := mayImport(tt.from, tt.to); got != tt.want {
			t.Errorf("mayImport(%s, %s): got %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
	for from, list := range layers {
		for _, to := range strings.Fields(list) {
			if path.Base(to) != "*" && !layersHas(to) {
				t.Errorf("%s may import %s, which the table does not list", from, to)
			}
		}
	}
}
