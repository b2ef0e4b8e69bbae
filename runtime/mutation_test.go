package runtime_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
)

// What make test takes of the mutations of a model; KEDGE_ACCEPT=1 takes all, and
// runs more of them where running takes time.
const (
	modelMutations    = 600
	operatorMutations = 100
	runWork           = 2_000_000_000 // steps spent on running a model's mutations
	acceptRunWork     = 25 * runWork
)

// TestMutations sets one field after the other of every reference model to values
// that it should not have.
func TestMutations(t *testing.T) {
	for _, c := range runtimetest.Cases(t) {
		t.Run(c.Name, func(t *testing.T) { mutate(t, c.File(t, "model.tflite"), modelMutations) })
	}
}

// TestOperatorMutations does it to every reference case of a single operator, and
// to other models where they load.
func TestOperatorMutations(t *testing.T) {
	for _, set := range []string{"ops", "seanet", "uint8", "extra"} {
		files, _ := filepath.Glob(filepath.Join(runtimetest.Shared(t, "conformance", set), "*", "*.tflite"))
		if len(files) == 0 {
			t.Errorf("%s: no models", set)
		}
		for _, name := range files {
			file, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(set+"/"+filepath.Base(filepath.Dir(name)), func(t *testing.T) { mutate(t, file, operatorMutations) })
		}
	}
}

// TestOwnMutations does it in full to models that need no reference material.
func TestOwnMutations(t *testing.T) {
	for _, f := range runtimetest.Families() {
		file := f.Model.Bytes()
		n := len(runtimetest.Mutations(file))
		t.Run(f.Name, func(t *testing.T) { mutate(t, file, n) })
	}
}

// mutate checks n mutations of a model, which it leaves as it was.
func mutate(t *testing.T, file []byte, n int) {
	all := runtimetest.Mutations(file)
	work := int64(runWork)
	switch {
	case testing.Short(): // as under emulation
		n, work = n/20, work/100
	case os.Getenv("KEDGE_ACCEPT") == "1":
		n, work = len(all), acceptRunWork
	}
	g := guard{maxArena: runtime.DefaultMaxArena, work: math.MaxInt64}
	if err := g.check(file); err != nil {
		t.Fatalf("undamaged: %v", err)
	}
	chosen := runtimetest.Spread(all, n)
	// Of large models only some mutations are run, evenly spread.
	every := 1 + int64(len(chosen))*(math.MaxInt64-g.work)/work
	loaded := 0
	for i, m := range chosen {
		g.work = 0
		if int64(i)%every == 0 {
			g.work = work
		}
		own := m.Get(file)
		m.Set(file, m.Value)
		if err := g.check(file); err != nil {
			t.Errorf("%s at %d: %#x instead of %#x: %v", m.Path, m.Pos, m.Value, own, err)
		}
		if g.loaded {
			loaded++
		}
		m.Set(file, own)
	}
	t.Logf("%d of %d mutations, %d load, %d run, slowest load %v", len(chosen), len(all), loaded, g.ran, g.slowest)
}
