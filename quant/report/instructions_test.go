package report

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kedge/quant/graph"
)

// TestInstructions holds the coefficients against the instructions that were
// counted, in docs/insns.md: a change of the kernels makes them stale.
func TestInstructions(t *testing.T) {
	counted, err := os.ReadFile(filepath.Join("..", "..", "docs", "insns.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(counted)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "| "), " | ")
		if len(cells) != len(boardClasses)+1 || cells[0] == "model" {
			continue
		}
		rows++
		t.Run(cells[0], func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "conformance", cells[0], "model.tflite"))
			if err != nil {
				if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
					t.Fatal(err)
				}
				t.Skipf("conformance models are absent: %v", err)
			}
			g, err := graph.FromTFLite(file)
			if err != nil {
				t.Fatal(err)
			}
			for i, b := range boardClasses {
				want, err := strconv.ParseFloat(cells[i+1], 64)
				if err != nil {
					t.Fatal(err)
				}
				want *= 1e3
				if got := b.total(g); math.Abs(got/want-1) > worstError {
					t.Errorf("%s: got %.4g instructions, want %.4g within %.0f %%", b.name, got, want, 100*worstError)
				}
			}
		})
	}
	if rows < 7 {
		t.Errorf("got %d rows of counts, want 7", rows)
	}
}
