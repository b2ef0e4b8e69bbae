package runtime_test

import (
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// TestFamilies: the models load, and together have every operator that can run.
func TestFamilies(t *testing.T) {
	present := map[tflite.Code]bool{}
	for _, f := range runtimetest.Families() {
		if _, err := runtime.Load(f.Model.Bytes(), runtime.Options{}); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		for _, g := range append(f.Model.More, f.Model) {
			for _, o := range g.Ops {
				present[o.Code] = true
			}
		}
	}
	for code := tflite.Code(0); code < 256; code++ {
		if code == tflite.Custom || present[code] {
			continue
		}
		b := runtimetest.Successor()
		b.Ops[0].Code = code
		r, _ := runtime.Inspect(b.Bytes(), runtime.Options{})
		if len(r.Unsupported) == 0 || r.Unsupported[0].Wanted != "" {
			t.Errorf("%v can run, but no model has it", code)
		}
	}
}
