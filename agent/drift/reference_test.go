package drift

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuantize(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want uint8
	}{
		{math.Inf(-1), 0}, {-1e300, 0}, {-0.001, 0}, {0, 0}, {0.0039, 0}, {1.0 / 256, 1},
		{0.5, 128}, {254.999 / 256, 254}, {255.0 / 256, 255}, {1, 255}, {7, 255}, {math.Inf(1), 255},
	} {
		if got := Quantize(c.x); got != c.want {
			t.Errorf("%v: got %d, want %d", c.x, got, c.want)
		}
	}
	for q := range LatticeSize {
		if got := Quantize(float64(q) / LatticeSize); int(got) != q {
			t.Errorf("lattice value %d: got %d", q, got)
		}
	}
}

func TestReferenceMoments(t *testing.T) {
	xs := []float64{0.25, 0.5, 0.5, 0.75, 0.999}
	r, err := NewReference(xs)
	if err != nil {
		t.Fatal(err)
	}
	// 0.999 is floored to 255/256.
	mean := (0.25 + 0.5 + 0.5 + 0.75 + 255.0/256) / 5
	square := 0.0
	for _, x := range []float64{0.25, 0.5, 0.5, 0.75, 255.0 / 256} {
		square += (x - mean) * (x - mean)
	}
	std := math.Sqrt(square / 5)
	if r.N != 5 || math.Abs(r.Mean()-mean) > 1e-15 || math.Abs(r.Std()-std) > 1e-15 {
		t.Errorf("got n %d, mean %v, std %v, want 5, %v, %v", r.N, r.Mean(), r.Std(), mean, std)
	}
	if want := std / math.Sqrt(5); math.Abs(r.StdErr()-want) > 1e-15 {
		t.Errorf("got standard error %v, want %v", r.StdErr(), want)
	}
	if !r.Weak() {
		t.Error("five samples should be weak")
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := NewReference([]float64{0.5, bad}); !errors.Is(err, ErrReference) {
			t.Errorf("sample %v: got %v, want ErrReference", bad, err)
		}
	}
	var none Reference
	if none.Mean() != 0 || none.Std() != 0 || !math.IsInf(none.StdErr(), 1) || !none.Weak() || none.Validate() != nil {
		t.Errorf("absent reference: got mean %v, std %v, standard error %v, valid: %v", none.Mean(), none.Std(), none.StdErr(), none.Validate())
	}
}

func TestReferenceValidate(t *testing.T) {
	good := newSampler(beta(19), 1).reference(600)
	for _, c := range []struct {
		name   string
		damage func(*Reference)
	}{
		{"counts missing", func(r *Reference) { r.Counts = nil }},
		{"counts short", func(r *Reference) { r.Counts = r.Counts[:255] }},
		{"counts long", func(r *Reference) { r.Counts = append(r.Counts, 0) }},
		{"negative count", func(r *Reference) { r.Counts[3]--; r.Counts[255]++ }},
		{"sum too small", func(r *Reference) { r.N++ }},
		{"sum too large", func(r *Reference) { r.N-- }},
		{"overflowing counts", func(r *Reference) { r.Counts[1], r.Counts[2] = math.MaxInt64, math.MaxInt64 }},
		{"negative n", func(r *Reference) { r.N = -1 }},
		{"huge n", func(r *Reference) { r.N = math.MaxInt64 }},
		{"too many lags", func(r *Reference) { r.Lags = make([]float64, MaxLags+1) }},
		{"lag above 1", func(r *Reference) { r.Lags[0] = 1.5 }},
		{"lag not a number", func(r *Reference) { r.Lags[0] = math.NaN() }},
	} {
		bad := Reference{Counts: slices.Clone(good.Counts), N: good.N, Lags: slices.Clone(good.Lags)}
		c.damage(&bad)
		if err := bad.Validate(); !errors.Is(err, ErrReference) {
			t.Errorf("%s: got %v, want ErrReference", c.name, err)
		}
		if _, err := New(Options{Reference: bad}); !errors.Is(err, ErrReference) {
			t.Errorf("%s: monitor: got %v, want ErrReference", c.name, err)
		}
	}
	if err := good.Validate(); err != nil {
		t.Errorf("got %v for a good reference", err)
	}
}

func TestReferenceJSON(t *testing.T) {
	want := newSampler(beta(19), 2).reference(700)
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 2048 {
		t.Errorf("got %d bytes, want it small", len(data))
	}
	var got Reference
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.N != want.N || !slices.Equal(got.Counts, want.Counts) || !slices.Equal(got.Lags, want.Lags) || got.Validate() != nil {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestMerge(t *testing.T) {
	s := newSampler(beta(19), 3)
	a, b := s.reference(300), s.reference(900)
	got := Merge(a, b)
	if err := got.Validate(); err != nil {
		t.Fatal(err)
	}
	if want := (a.Mean()*300 + b.Mean()*900) / 1200; got.N != 1200 || math.Abs(got.Mean()-want) > 1e-12 {
		t.Errorf("got n %d, mean %v, want 1200, %v", got.N, got.Mean(), want)
	}
	if want := (a.Lags[0]*300 + b.Lags[0]*900) / 1200; math.Abs(got.Lags[0]-want) > 1e-12 {
		t.Errorf("got lag 1 %v, want %v", got.Lags[0], want)
	}
	if none := Merge(Reference{}, Reference{}); none.N != 0 || none.Validate() != nil {
		t.Errorf("of nothing: got %+v (%v)", none, none.Validate())
	}
	if same := Merge(Reference{}, a); same.N != a.N || !slices.Equal(same.Counts, a.Counts) || same.Lags[0] != a.Lags[0] {
		t.Errorf("with nothing: got n %d, want the other", same.N)
	}
}

// TestCorrelationModel checks inflation and block length where the answer is known:
// a geometric autocorrelation has inflation (1+r)/(1-r).
func TestCorrelationModel(t *testing.T) {
	for _, c := range []struct {
		ratio float64
		lags  int
	}{{0.2, 64}, {0.5, 64}, {0.9, 64}, {0.9, 3}, {0.99, 64}} {
		r := Reference{N: 1 << 30, Counts: make([]int64, LatticeSize)}
		for lag := 1; lag <= c.lags; lag++ {
			r.Lags = append(r.Lags, math.Pow(c.ratio, float64(lag)))
		}
		want := (1 + c.ratio) / (1 - c.ratio)
		if got := r.Inflation(); math.Abs(got/want-1) > 1e-3 {
			t.Errorf("%v over %d lags: got inflation %v, want %v", c.ratio, c.lags, got, want)
		}
		// Neighboring block means of an AR(1), in closed form.
		correlation := func(b int) float64 {
			p, n := c.ratio, float64(b)
			pb := math.Pow(p, n)
			return p * (1 - pb) * (1 - pb) / (n*(1-p*p) - 2*p*(1-pb))
		}
		b := r.BlockLength()
		if correlation(b) > 0.1+1e-6 || (b > 1 && correlation(b-1) < 0.1-1e-6) {
			t.Errorf("%v: got block %d with correlations %v and, one shorter, %v, want it the first below 0.1", c.ratio, b, correlation(b), correlation(b-1))
		}
	}
	for _, lags := range [][]float64{nil, {0.1}, {-0.9, 0.8}} {
		r := Reference{N: 1000, Lags: lags}
		if r.Inflation() != 1 || r.BlockLength() != 1 {
			t.Errorf("lags %v: got inflation %v, block %d, want 1 and 1", lags, r.Inflation(), r.BlockLength())
		}
	}
	stuck := Reference{N: 1000, Lags: []float64{1, 1, 1}}
	if got := stuck.BlockLength(); got != MaxBlock || !finite(stuck.Inflation()) {
		t.Errorf("wholly dependent: got block %d, inflation %v, want %d and finite", got, stuck.Inflation(), MaxBlock)
	}
}

func TestAutocorrelationEstimate(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	// A moving average over two samples: correlation 1/2 at lag 1, none beyond.
	xs, last := make([]float64, 20000), rng.Float64()
	for i := range xs {
		next := rng.Float64()
		xs[i], last = (last+next)/2, next
	}
	r, err := NewReference(xs)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.5, 0, 0} {
		if math.Abs(r.Lags[i]-want) > 0.03 {
			t.Errorf("lag %d: got %v, want %v", i+1, r.Lags[i], want)
		}
	}
	if len(r.Lags) != MaxLags {
		t.Errorf("got %d lags, want %d", len(r.Lags), MaxLags)
	}
	for _, constant := range [][]float64{nil, {0.5}, make([]float64, 100)} {
		if r, err := NewReference(constant); err != nil || r.Lags != nil {
			t.Errorf("%d equal samples: got lags %v (%v), want none", len(constant), r.Lags, err)
		}
	}
}

func FuzzReferenceJSON(f *testing.F) {
	f.Add([]byte(`{"counts":[1,2,3],"n":6}`))
	f.Add([]byte(`{"n":0}`))
	good, err := json.Marshal(newSampler(saturated(), 6).reference(600))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Reference
		if json.Unmarshal(data, &r) != nil || r.Validate() != nil {
			return
		}
		for name, v := range map[string]float64{"mean": r.Mean(), "std": r.Std(), "inflation": r.Inflation(), "e-sr mean": r.ESRMean(1000)} {
			if !finite(v) {
				t.Errorf("%s is %v", name, v)
			}
		}
		m, err := New(Options{Reference: r})
		if err != nil {
			t.Fatalf("a valid reference was refused: %v", err)
		}
		m.Update(0.5)
		if _, err := json.Marshal(m.Explain()); err != nil {
			t.Error(err)
		}
	})
}
