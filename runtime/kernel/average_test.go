package kernel

import "testing"

// TestInverse: every size of window up to 256 cells has a factor, so means are
// taken by it.
func TestInverse(t *testing.T) {
	for n := 1; n <= 256; n++ {
		if m, ok := inverse(n); !ok {
			t.Errorf("%d cells: no factor, tried %v", n, m)
		}
	}
}
