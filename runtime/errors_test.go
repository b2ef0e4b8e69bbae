package runtime_test

import (
	"strings"
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// TestManyFindings: the error stays one line of reasonable length, the report lists all.
func TestManyFindings(t *testing.T) {
	b := runtimetest.SmallNet()
	last := b.Ops[len(b.Ops)-1]
	for i := range b.Ops {
		b.Ops[i].Code, b.Ops[i].Custom = tflite.Custom, "Magic"
	}
	for len(b.Ops) < 12 { // each with a result of its own
		out := b.Tensors[last.Outputs[0]]
		b.Tensors = append(b.Tensors, out)
		next := last
		next.Code, next.Custom, next.Outputs = tflite.Custom, "Magic", []int{len(b.Tensors) - 1}
		b.Ops = append(b.Ops, next)
	}
	r, err := runtime.Inspect(b.Bytes(), runtime.Options{})
	if err == nil || r == nil {
		t.Fatalf("got %v, %v, want a report and an error", r, err)
	}
	if text := err.Error(); strings.Count(text, "not supported") != 8 || !strings.HasSuffix(text, "; … and 4 more; kedge inspect lists all") {
		t.Errorf("got %s, want 8 findings and 4 more", text)
	}
	if len(r.Unsupported) != 12 || r.MACs != nil || r.ArenaBytes != nil || r.Operators[0].MACs != nil {
		t.Errorf("got %d findings, MACs %v, arena %v, want 12 and no figures", len(r.Unsupported), r.MACs, r.ArenaBytes)
	}
	for i, f := range r.Unsupported {
		if f.Operator != i || f.Name != "CUSTOM(Magic)" || f.Tensor == "" || !strings.HasPrefix(f.Found, "int8 [") {
			t.Errorf("finding %d: got %+v", i, f)
		}
	}
}
