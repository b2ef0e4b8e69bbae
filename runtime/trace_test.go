package runtime_test

import (
	"bytes"
	"slices"
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
)

// TestTrace: every operator is named once, in order, and the results are those of
// Invoke.
func TestTrace(t *testing.T) {
	m := load(t, runtimetest.SmallNet(), runtime.Options{})
	want, s := session(t, m, runtime.SessionOptions{}), session(t, m, runtime.SessionOptions{})
	want.Invoke()
	var got, all []int
	for i := range m.Operators() {
		all = append(all, i)
	}
	s.Trace(func(i int) { got = append(got, i) })
	if !slices.Equal(got, all) || !bytes.Equal(s.Output(0), want.Output(0)) {
		t.Errorf("got operators %v and % x, want %v and % x", got, s.Output(0), all, want.Output(0))
	}
	count := 0
	if n := testing.AllocsPerRun(20, func() { s.Trace(func(int) { count++ }) }); n != 0 || count == 0 {
		t.Errorf("got %v allocations, %d calls, want none and many", n, count)
	}
}

func TestOperators(t *testing.T) {
	m := load(t, runtimetest.SmallNet(), runtime.Options{Kernels: "generic", Threads: 4})
	first := m.Operators()[0]
	if first.Name != "CONV_2D" || first.Kernel != "go" || *first.MACs != 1296 || !slices.Equal(first.Shape, []int{1, 6, 6, 4}) {
		t.Errorf("got %+v", first)
	}
	if m.Threads() != 1 {
		t.Errorf("got %d threads, want 1: plain Go divides nothing", m.Threads())
	}
}
