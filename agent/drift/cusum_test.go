package drift

import (
	"slices"
	"testing"
)

// TestCusumByHand follows the sums over a reference of mean 2 and deviation 1, whose
// last sample counts for both.
func TestCusumByHand(t *testing.T) {
	for _, c := range []struct {
		mode   Direction
		alarms []int
	}{{Both, []int{4, 9}}, {Up, []int{4}}, {Down, []int{9}}} {
		d, err := NewCusum(CusumOptions{Direction: c.mode, MinInstances: 3, Slack: 0.5, Threshold: 2})
		if err != nil {
			t.Fatal(err)
		}
		var alarms []int
		for i, x := range []float64{1, 3, 2, 4, 4, 1, 3, 2, 0, 0} {
			if d.Update(x) == Drift {
				alarms = append(alarms, i)
			}
		}
		if !slices.Equal(alarms, c.alarms) {
			t.Errorf("direction %d: got alarms %v, want %v", c.mode, alarms, c.alarms)
		}
	}
}

// TestCusumConstantReference: with no deviation to measure by, any departure counts.
func TestCusumConstantReference(t *testing.T) {
	d, err := NewCusum(CusumOptions{MinInstances: 5})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if got := d.Update(0.1); got != Stable || d.Statistic() != 0 {
			t.Fatalf("sample %d: got %v, statistic %v, want stable, 0", i, got, d.Statistic())
		}
	}
	if got := d.Update(0.1001); got != Drift || !(d.Statistic() > d.Threshold()) || !finite(d.Statistic()) {
		t.Errorf("got %v, statistic %v, want drift and a finite one above %v", got, d.Statistic(), d.Threshold())
	}
}
