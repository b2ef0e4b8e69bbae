package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kedge/runtime"
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
		"Operators without multiplications that take more than 2 %",
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

// TestReasons: what the report says of an operator follows from its form.
func TestReasons(t *testing.T) {
	y := yardstick{peak: 500e3, clock: 0.03}
	for _, c := range []struct {
		kernel  string
		shape   []int
		macs    int64
		us      float64
		weights int
		want    []string
	}{
		{"x depthwise quads", []int{1, 6, 6, 64}, 9 * 36 * 64, 3, 640, []string{"9 products for each output", "rows of 6 pixels"}},
		{"x depthwise quads, 2 channels go", []int{1, 48, 48, 8}, 9 * 48 * 48 * 8, 90, 80, []string{"2 of its channels in plain Go", "9 products"}},
		{"x gemm 1x16", []int{1, 10}, 640, 0.05, 680, []string{"short: ", "each of 680 bytes of weights", "10 of the 16 columns"}},
		{"go", []int{1, 20, 20, 64}, 1 << 20, 90, 4096, []string{"in plain Go, there is"}},
		{"x gemm 8x16", []int{1, 20, 20, 64}, 2 << 20, 90, 4096, []string{"256.0 products for each of 8192 bytes"}},
	} {
		o := operator{runtime.OpReport{Kernel: c.kernel, Shape: c.shape, MACs: &c.macs}, traffic{4096, c.weights, 0}, c.us}
		got := y.reason(&o)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s %v: got %q, want %q in it", c.kernel, c.shape, got, want)
			}
		}
		if n := strings.Count(got, "; "); n > len(c.want) {
			t.Errorf("%s %v: got %q, want no more than %q", c.kernel, c.shape, got, c.want)
		}
	}
	none := int64(0)
	all := []operator{{runtime.OpReport{Index: 0, MACs: &none}, traffic{}, 3}, {runtime.OpReport{Index: 1, MACs: &none}, traffic{}, 1}, {runtime.OpReport{Index: 2, MACs: &none}, traffic{}, 9}}
	if got := moving(all, 100); len(got) != 2 || got[0].Index != 2 || got[1].Index != 0 {
		t.Errorf("moving: got %v, want operators 2 and 0", got)
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
