package drift

import (
	"slices"
	"testing"
)

// TestAdwinCompat works out by hand where the two imitated ones differ. Cuts are
// searched for at every sample, delta is 1, and the signal steps from 0 to 1e6.
//
// River: after 4 samples the cut 3|1 has eps = sqrt(2(1/3+1) 0.1875e12 ln(2 ln 4)) =
// 0.71e6; the oldest zero goes, and for the same reason the next, and the next. The
// next sample finds an empty window.
//
// MOA wants 3 on either side: after 6 samples two have merged, and the cut 3|3 has
// eps = sqrt(2(1/3+1/3) 0.25e12 ln(2 ln 6)) = 0.65e6; the pair of zeros goes, and the
// window goes on with the 4 others.
func TestAdwinCompat(t *testing.T) {
	for _, c := range []struct {
		compat Compat
		alarm  int
		widths []float64
	}{
		{CompatRiver, 3, []float64{1, 2, 3, 1, 1, 2, 3}},
		{CompatMOA, 5, []float64{1, 2, 3, 4, 5, 4, 5}},
	} {
		a, err := NewAdwin(AdwinOptions{Compat: c.compat, Delta: 1, Clock: 1, MinWindowLength: 1, GracePeriod: 1})
		if err != nil {
			t.Fatal(err)
		}
		var alarms []int
		var widths []float64
		for i, x := range []float64{0, 0, 0, 1e6, 1e6, 1e6, 1e6} {
			if a.Update(x) == Drift {
				alarms = append(alarms, i)
			}
			widths = append(widths, a.window.width)
		}
		if !slices.Equal(alarms, []int{c.alarm}) || !slices.Equal(widths, c.widths) {
			t.Errorf("compat %d: got alarms %v and widths %v, want %d and %v", c.compat, alarms, widths, c.alarm, c.widths)
		}
	}
}

// TestAdwinWindowIsBounded fills every row: one sample more drops the oldest bucket.
func TestAdwinWindowIsBounded(t *testing.T) {
	w := newAdwinWindow(2)
	for r := adwinRows - 1; r >= 0; r-- {
		for range 2 {
			w.push(r, bucket{total: bucketSize(r)})
			w.width, w.total = w.width+bucketSize(r), w.total+bucketSize(r)
		}
	}
	full := w.width
	for i := range 100 {
		w.insert(1)
		width := 0.0
		for r := range w.rows {
			if w.filled[r] > w.most || w.filled[r] == 0 {
				t.Fatalf("after %d more: row %d holds %d buckets", i+1, r, w.filled[r])
			}
			width += float64(w.filled[r]) * bucketSize(r)
		}
		if w.width != width || w.total != width || w.width > full+float64(i+1) {
			t.Fatalf("after %d more: got width %v and total %v, want both %v", i+1, w.width, w.total, width)
		}
	}
	if w.width >= full {
		t.Errorf("got a width of %v, want less than the %v before", w.width, full)
	}
}
