package drift

import (
	"errors"
	"math"
	"testing"
)

func TestForecast(t *testing.T) {
	ref := newSampler(beta(19), 71).reference(2000)
	f, err := NewForecast(ref, 1e4, []float64{0.01, 0.03, 0.1})
	if err != nil {
		t.Fatal(err)
	}
	if f.Weak || f.Block != 1 || f.RunLength < 2e4 || f.Promise < 2e4 || f.Mu0 >= f.Mean || len(f.Delays) != 3 {
		t.Errorf("got %+v", f)
	}
	// A large drop, in the limit of its drift: lambda over what is lost a step.
	large := f.Delays[2]
	if want := f.Lambda / (0.1 - f.Delta); large.PageHinkley < want || large.PageHinkley > 1.5*want {
		t.Errorf("page-hinkley: got %v samples for 10 points, want a little more than %v", large.PageHinkley, want)
	}
	if large.Pair > min(large.ESR, large.PageHinkley)+1 || large.Pair <= 1 || f.Delays[1].Pair <= large.Pair {
		t.Errorf("got delays %+v, want the pair no later than either, and larger drops sooner", f.Delays)
	}
	again, err := NewForecast(ref, 1e4, []float64{0.1})
	if err != nil || again.Delays[0] != large {
		t.Errorf("again: got %+v (%v), want the same", again.Delays, err)
	}
	if _, err := NewForecast(Reference{}, 1e4, nil); !errors.Is(err, ErrReference) {
		t.Errorf("no reference: got %v, want ErrReference", err)
	}
	if _, err := NewForecast(ref, 1, nil); !errors.Is(err, ErrParameter) {
		t.Errorf("run length 1: got %v, want ErrParameter", err)
	}
	constant := Reference{Counts: constantCounts(0, 500), N: 500}
	if f, err := NewForecast(constant, 1e4, []float64{0.1}); err != nil || !finite(f.RunLength) || math.IsNaN(f.Delays[0].Pair) {
		t.Errorf("constant zero: got %+v (%v)", f, err)
	}
}
