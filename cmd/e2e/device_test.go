package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	site   = "plant"
	device = "pump-1"
)

// An answer is one line of `kedge run`.
type answer struct {
	ID         string  `json:"id"`
	Label      string  `json:"label"`
	Confidence float64 `json:"confidence"`
	Model      struct {
		Version uint64 `json:"version"`
	} `json:"model"`
	Drift string `json:"drift"`
	Alarm bool   `json:"alarm"`
}

// enroll makes a device's state directory and configuration, and returns both.
func enroll(t *testing.T, root, broker string) (state, config string) {
	t.Helper()
	dir := t.TempDir()
	state, config = filepath.Join(dir, "state"), filepath.Join(dir, "kedge.toml")
	run(t, "kedge", "enroll", "--state", state, "--site", site, "--device", device, "--root", root)
	text := fmt.Sprintf("[device]\nsite = %q\nid = %q\nstate = %q\n\n[mqtt]\nbroker = %q\n\n"+
		"[source]\nkind = \"stdin\"\nformat = \"jsonl\"\n\n[output]\nanswers = \"-\"\n", site, device, state, broker)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return state, config
}

// infer sends a sample to the device and returns its answer.
func (p *process) infer(x []float32) answer {
	p.t.Helper()
	line, err := json.Marshal(map[string][]float32{"x": x})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		p.t.Fatalf("device: %v", err)
	}
	var a answer
	if err := p.line(&a); err != nil {
		p.t.Fatalf("device: answer: %v", err)
	}
	return a
}

// A world makes samples of three classes, clouds in four dimensions that drift
// moves towards one another.
type world struct{ rng *rand.Rand }

var classes = []string{"low", "middle", "high"}

func newWorld(seed uint64) *world { return &world{rng: rand.New(rand.NewPCG(seed, 7))} }

func (w *world) sample(drift float64) (x []float32, label string) {
	c := w.rng.IntN(len(classes))
	center := [3][4]float64{{0, 0, 2, 1}, {2, 0, 0, 1}, {0, 2, 0, 1}}[c]
	for i, v := range center {
		x = append(x, float32(v+.25*w.rng.NormFloat64()+drift*float64(i-1)))
	}
	return x, classes[c]
}

// writeCSV writes a table to learn from.
func (w *world) writeCSV(t *testing.T, path string, rows int) {
	t.Helper()
	var b strings.Builder
	b.WriteString("a,b,c,d,class\n")
	for range rows {
		x, label := w.sample(0)
		fmt.Fprintf(&b, "%g,%g,%g,%g,%s\n", x[0], x[1], x[2], x[3], label)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A score counts answers.
type score struct{ n, right int }

func (s *score) add(a answer, truth string) {
	s.n++
	if a.Label == truth {
		s.right++
	}
}

func (s score) accuracy() float64 { return float64(s.right) / float64(s.n) }
