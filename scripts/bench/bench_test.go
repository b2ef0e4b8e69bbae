package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kedge/runtime/kernel"
)

// TestMain is also the other runtime: it answers every line with the same times.
func TestMain(m *testing.M) {
	if os.Getenv("BENCH_PEER") == "1" {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			fmt.Println(`{"min": 1000000, "median": 2000000}`)
		}
		return
	}
	os.Exit(m.Run())
}

func fakePeer() *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BENCH_PEER=1")
	return cmd
}

// TestReport measures generated models beside a peer and reads the report.
func TestReport(t *testing.T) {
	o := options{conformance: filepath.Join(t.TempDir(), "none")}
	models, generated, err := o.models()
	if err != nil || !generated {
		t.Fatalf("got %d models, generated %v (%v), want generated ones", len(models), generated, err)
	}
	models[1].peer = "dense.onnx"
	other, err := startPeer(fakePeer())
	if err != nil {
		t.Fatal(err)
	}
	defer other.stop()
	r := report{generated: generated, peer: true, rounds: 2}
	for _, m := range models {
		result, err := m.measure(other, r.rounds)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		r.models = append(r.models, result)
	}
	text := r.text()
	best := kernel.Sets()[0]
	for _, want := range []string{
		"these are generated ones",
		"| convolutions of 32x32 pixels | " + best + " | ",
		"| six dense layers | " + best + " | 198656 | ",
		" | 1000000.0 | 0.00 | 0.00 | 0.00–0.00 |\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Errorf("a number that is none in:\n%s", text)
	}
}

func TestDeadPeer(t *testing.T) {
	p, err := startPeer(exec.Command("true"))
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	if got, err := p.runner("x.onnx")(1); err == nil {
		t.Errorf("got %v, want an error", got)
	}
}

func TestSeries(t *testing.T) {
	var ours, theirs series
	for i := range 11 {
		ours = append(ours, times{Min: float64(10 - i), Median: float64(10 + i)})
		theirs = append(theirs, times{Min: 4, Median: 20})
	}
	if got := ours.shortest(); got != 0 {
		t.Errorf("shortest: got %v, want 0", got)
	}
	if low, middle, high := ours.median(); low != 11 || middle != 15 || high != 19 {
		t.Errorf("median: got %v, %v, %v, want 11, 15, 19", low, middle, high)
	}
	if low, middle, high := ours[:10].ratio(theirs[:10]); low != 0.5 || middle != 0.7 || high != 0.95 {
		t.Errorf("ratio: got %v, %v, %v, want 0.5, 0.7, 0.95", low, middle, high)
	}
}
