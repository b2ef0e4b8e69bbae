package eval

import (
	"math"
	"testing"
)

func TestAUC(t *testing.T) {
	for _, c := range []struct {
		name               string
		negative, positive []float64
		want, wantError    float64
	}{
		{"apart", []float64{1, 2}, []float64{3, 4, 5}, 1, 0},
		{"reversed", []float64{3, 4}, []float64{1, 2}, 0, 0},
		{"all equal", []float64{1, 1}, []float64{1, 1}, 0.5, math.Sqrt((0.25 + 2*(1.0/3-0.25)) / 4)},
		{"one pair wrong", []float64{1, 2}, []float64{3, 1.5}, 0.75, math.Sqrt((0.75*0.25 + (0.6 - 0.5625) + (1.125/1.75 - 0.5625)) / 4)},
		{"tie across", []float64{1, 2}, []float64{2, 3}, 0.875, math.NaN()},
	} {
		got, se := auc(c.negative, c.positive)
		if got != c.want || !math.IsNaN(c.wantError) && math.Abs(se-c.wantError) > 1e-12 {
			t.Errorf("%s: got %v, standard error %v, want %v and %v", c.name, got, se, c.want, c.wantError)
		}
	}
	if got, se := auc(nil, []float64{1}); !math.IsNaN(got) || !math.IsNaN(se) {
		t.Errorf("one class: got %v and %v, want NaN", got, se)
	}
}
