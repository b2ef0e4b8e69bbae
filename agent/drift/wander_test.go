package drift

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// seasons is a signal of right and wrong answers whose rate differs from year to year.
func seasons(rng *rand.Rand, days int) []float64 {
	xs, rate := make([]float64, days), 0.0
	for i := range xs {
		if i%365 == 0 {
			rate = 0.8 + 0.03*(2*rng.Float64()-1)*math.Sqrt(3)
		}
		if rng.Float64() < rate {
			xs[i] = 1
		}
	}
	return xs
}

// TestWanderIsNoDrift: what eleven years did among themselves, the next forty may do
// too, and a real change is still found.
func TestWanderIsNoDrift(t *testing.T) {
	streams := accepted(20, 200)
	rng := rand.New(rand.NewPCG(81, 1))
	alarms, found := 0, 0
	for range streams {
		ref, err := NewReference(seasons(rng, 11*365))
		if err != nil {
			t.Fatal(err)
		}
		m := mustNew(t, Options{Reference: ref})
		for _, x := range seasons(rng, 40*365) {
			m.Update(x)
		}
		alarms += int(m.Explain().Alarms)
		m = mustNew(t, Options{Reference: ref})
		for range 365 {
			m.Update(float64(btoi(rng.Float64() < 0.5)))
		}
		found += btoi(m.State() == Latched)
	}
	t.Logf("%d alarms, %d of %d found", alarms, found, streams)
	if float64(alarms) > 1.5*float64(streams) || float64(found) < 0.9*float64(streams) {
		t.Errorf("got %d alarms in %d times 14,600 days, %d changes found; want at most 1.5 each and nearly all", alarms, streams, found)
	}
}

// TestWanderIndependent: independent samples and autocorrelations that say it all are
// rarely taken for slow variation, and then for little.
func TestWanderIndependent(t *testing.T) {
	rng := rand.New(rand.NewPCG(82, 1))
	for _, c := range []struct {
		name string
		draw func() []float64
		most float64 // standard deviations
	}{
		{"independent", func() []float64 { return correlated(rng, 0, 4000) }, 0.25},
		{"autocorrelation .9", func() []float64 { return correlated(rng, 0.9, 4000) }, 0.9},
	} {
		wandering := 0
		for range 200 {
			ref, err := NewReference(c.draw())
			if err != nil {
				t.Fatal(err)
			}
			w := ref.Wander() / ref.Std()
			wandering += btoi(w > 0)
			if w > c.most {
				t.Errorf("%s: got %.2f standard deviations, want at most %v", c.name, w, c.most)
			}
		}
		t.Logf("%s: %d of 200", c.name, wandering)
		if wandering > 40 {
			t.Errorf("%s: %d of 200 seem to wander, want at most 40", c.name, wandering)
		}
	}
}

func TestBlockVariances(t *testing.T) {
	if got := blockVariances(make([]uint8, 5000)); got != nil {
		t.Errorf("constant: got %v, want none", got)
	}
	if got := blockVariances(make([]float64, minBlocks*shortestBlocks-1)); got != nil {
		t.Errorf("too few: got %v, want none", got)
	}
	// Blocks of 64 that alternate between 0 and 100: those of 128 are all alike.
	steps := make([]uint8, 24*64)
	for i := range steps {
		steps[i] = uint8(i / 64 % 2 * 100)
	}
	want := []BlockVariance{{64, 24, math.Round(64*24.0/23*1e4) / 1e4}, {128, 12, 0}}
	if got := blockVariances(steps); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBlocksTravel(t *testing.T) {
	rng := rand.New(rand.NewPCG(83, 1))
	long, err := NewReference(seasons(rng, 4000))
	if err != nil {
		t.Fatal(err)
	}
	short, err := NewReference(seasons(rng, 1000))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(long)
	var back Reference
	if err != nil || json.Unmarshal(data, &back) != nil || back.Validate() != nil || !reflect.DeepEqual(back, long) {
		t.Errorf("JSON: got %+v (%v)", back.Blocks, err)
	}
	merged := Merge(short, long)
	if err := merged.Validate(); err != nil || len(merged.Blocks) != len(long.Blocks) || merged.Blocks[0].Blocks != short.Blocks[0].Blocks+long.Blocks[0].Blocks {
		t.Errorf("merged: got %+v (%v)", merged.Blocks, err)
	}
	for _, damage := range []BlockVariance{{32, 20, 1}, {64, 1, 1}, {64, 63, 1}, {64, 20, -1}, {64, 20, math.NaN()}, {64, 20, 200}} {
		bad := long
		bad.Blocks = append([]BlockVariance{damage}, long.Blocks[1:]...)
		if err := bad.Validate(); !errors.Is(err, ErrReference) {
			t.Errorf("%+v: got %v, want ErrReference", damage, err)
		}
	}
}
