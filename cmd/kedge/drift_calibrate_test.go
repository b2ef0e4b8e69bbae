package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/agent/drift"
	"kedge/cmd/internal/cli"
)

func writeConfidences(t *testing.T, n int) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(81, 1))
	text := "shift,confidence\n"
	for i := range n {
		text += fmt.Sprintf("%d,%.4f\n", i%2, math.Pow(rng.Float64(), 1.0/19))
	}
	path := filepath.Join(t.TempDir(), "ref.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDriftCalibrate(t *testing.T) {
	path := writeConfidences(t, 800)
	var f drift.Forecast
	if err := json.Unmarshal([]byte(says(t, "drift", "calibrate", "--column", "confidence", "--arl", "10000", "--json", path)), &f); err != nil {
		t.Fatal(err)
	}
	if f.Samples != 800 || f.ARL != 10000 || f.RunLength < 20000 || len(f.Delays) != 3 || f.Weak {
		t.Errorf("got %+v", f)
	}
	text := says(t, "drift", "calibrate", "--column", "confidence", "--context", "shift", "--false-alarms", "1/30d", "--rate", "10/s", path)
	for _, want := range []string{"contexts      2", "one in 2.592e+07 samples", "10 points"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want it to say %q", text, want)
		}
	}
	if got := says(t, "drift", "calibrate", "--column", "confidence", writeConfidences(t, 100)); !strings.Contains(got, "weak: fewer than 500 samples") {
		t.Errorf("100 samples: got %q, want it called weak", got)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{writeConfidences(t, 10)}, "10 samples, want at least 30"},
		{[]string{"--column", "nothing", path}, "no such column"},
		{[]string{"--arl", "5", "--column", "confidence", path}, "run length is 5"},
		{[]string{"--rate", "10/s", path}, "belong to --false-alarms"},
		{[]string{path + ".missing"}, "no such file"},
	} {
		var out, errs bytes.Buffer
		code := program().Main(t.Context(), cli.Env{Stdout: &out, Stderr: &errs}, append([]string{"drift", "calibrate"}, c.args...))
		if code == 0 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%v: got exit code %d, %q, want %q", c.args, code, errs.String(), c.want)
		}
	}
}
