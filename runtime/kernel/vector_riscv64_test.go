package kernel

import (
	"strings"
	"testing"
)

// TestVectorTest: trying an instruction that may be illegal leaves the process as
// it was, and its answer is that of choosing the set by name. What it has to be
// is known to who runs it, with processors that have vectors and others.
func TestVectorTest(t *testing.T) {
	handler := func() signalAction {
		var a signalAction
		if err := setIllegal(nil, &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	before := handler()
	lanes, err := testVectors()
	if after := handler(); after != before || after.handler == 0 {
		t.Errorf("handler of illegal instructions: got %+v, want %+v", after, before)
	}
	s, chosen := Choose("rvv")
	if (err == nil) != (chosen == nil) {
		t.Errorf("chosen by name: got error %v, want %v", chosen, err)
	}
	if err != nil {
		if !strings.Contains(err.Error(), "vector") {
			t.Errorf("got %q, want an error that says what is missing", err)
		}
		if s, err := Choose(""); err != nil || s.Name != "generic" {
			t.Errorf("without vectors: got %v, %v, want the generic set", s, err)
		}
		t.Skip(err)
	}
	if lanes < 32 || lanes&(lanes-1) != 0 {
		t.Errorf("got %d lanes, want a power of two from 32 on", lanes)
	}
	if s.engine.lanes != lanes {
		t.Errorf("laid out for %d lanes, want %d", s.engine.lanes, lanes)
	}
}

// TestRVVPanels: for any number of columns and any length of vectors the panels
// are no wider than the vectors, and hold no more than half of their width in
// vain unless they are the narrowest.
func TestRVVPanels(t *testing.T) {
	for lanes := 32; lanes <= 1<<14; lanes *= 2 {
		e := newRVV()
		e.layOut(lanes)
		if widest := e.gemm[0].columns; widest != lanes {
			t.Errorf("%d lanes: widest panel %d", lanes, widest)
		}
		for n := 1; n <= 2*lanes; n++ {
			sum := 0
			for sum < n {
				columns := e.widest(e.gemm, n-sum).columns
				if columns < n-sum && columns < lanes || columns > rvvNarrowest && columns >= 2*(n-sum) {
					t.Fatalf("%d lanes, %d columns left: got a panel of %d", lanes, n-sum, columns)
				}
				sum += columns
			}
			if got := e.padded(e.gemm, n); got != sum {
				t.Fatalf("%d lanes, %d columns: got %d padded, want %d", lanes, n, got, sum)
			}
		}
	}
}
