package calib

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// observed is what Collect would have seen of these values, one sample each.
func observed(values []float32) *Tensor {
	s := &Statistics{Samples: len(values), index: []int{0}}
	s.Tensors = []Tensor{{SampleMin: values, SampleMax: values, Mean: make([]float64, 1)}}
	s.layBins()
	c := newCounts(s)
	for i := range values {
		if err := c.observe(i, 0, values[i:i+1]); err != nil {
			panic(err)
		}
	}
	s.takeCounts(c)
	return &s.Tensors[0]
}

// squaredError is what int8 makes of values in a range, measured and not
// modeled.
func squaredError(values []float32, r Range) float64 {
	scale := float64(r.Max-r.Min) / 255
	zero := math.Round(-128 - float64(r.Min)/scale)
	sum := 0.0
	for _, v := range values {
		q := min(max(math.Round(float64(v)/scale)+zero, -128), 127)
		d := float64(v) - scale*(q-zero)
		sum += d * d
	}
	return sum
}

func normal(n int, outliers ...float32) []float32 {
	r := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return append(x, outliers...)
}

// TestMSEIsLeast holds the search against every range of a grid, by measured
// errors.
func TestMSEIsLeast(t *testing.T) {
	relu := normal(20000)
	for i, v := range relu {
		relu[i] = max(v, 0)
	}
	for name, values := range map[string][]float32{"normal": normal(20000), "outliers": normal(20000, 40, -9), "relu": relu} {
		o := observed(values)
		got := squaredError(values, o.leastError())
		least := math.Inf(1)
		for i := 1; i <= 100; i++ {
			for k := 1; k <= 100; k += 3 {
				least = min(least, squaredError(values, Range{o.Min * float32(k) / 100, o.Max * float32(i) / 100}))
				if o.Min >= 0 {
					break
				}
			}
		}
		if got > 1.03*least {
			t.Errorf("%s: error %v, the least of the grid is %v", name, got, least)
		}
		if full := squaredError(values, Range{min(o.Min, 0), o.Max}); got > full {
			t.Errorf("%s: error %v, without clipping %v", name, got, full)
		}
	}
}

func TestPercentile(t *testing.T) {
	values := make([]float32, 0, 10001)
	for i := -3000; i <= 7000; i++ {
		values = append(values, float32(i))
	}
	o := observed(values)
	for _, c := range []struct {
		p    float64
		want Range
	}{{1, Range{-3000, 7000}}, {0.99, Range{-2900, 6900}}, {0.6, Range{1000, 3000}}} {
		got := o.percentile(c.p)
		if math.Abs(float64(got.Min-c.want.Min)) > 5 || math.Abs(float64(got.Max-c.want.Max)) > 5 {
			t.Errorf("%v: got %v, want %v", c.p, got, c.want)
		}
	}
}

func TestMovingAverage(t *testing.T) {
	o := observed([]float32{1, 3, -1})
	if got, want := o.movingAverage(0.5), (Range{0.5, 0.5}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestEntropyCutsOutliers: a single far value does not set the range, ordinary
// ones do.
func TestEntropyCutsOutliers(t *testing.T) {
	if got := observed(normal(50000, 60)).leastDivergence(); got.Max > 30 {
		t.Errorf("got %v, want the value 60 left out", got)
	}
	r := rand.New(rand.NewPCG(5, 6))
	even := make([]float32, 50000)
	for i := range even {
		even[i] = r.Float32()
	}
	if got := observed(even).leastDivergence(); got.Max < 0.98 {
		t.Errorf("got %v, want all of an even distribution", got)
	}
}

func TestParseMethod(t *testing.T) {
	for s, want := range map[string]Method{
		"minmax": MinMax(), "percentile": Percentile(99.99), "percentile:99.9": Percentile(99.9), "mse": MSE(),
		"entropy": Entropy(), "moving-average": MovingAverage(0.9), "moving-average:0.5": MovingAverage(0.5),
	} {
		got, err := ParseMethod(s)
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", s, got, err, want)
		}
		if again, err := ParseMethod(got.String()); err != nil || again != got {
			t.Errorf("%s: String gives %q, which reads as %v, %v", s, got.String(), again, err)
		}
	}
	for _, s := range []string{"", "kl", "mse:3", "percentile:", "percentile:40", "percentile:101", "percentile:NaN", "moving-average:1", "moving-average:-1"} {
		if m, err := ParseMethod(s); !errors.Is(err, ErrMethod) {
			t.Errorf("%q: got %v, %v, want %v", s, m, err, ErrMethod)
		}
	}
}
