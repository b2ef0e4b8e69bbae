package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// blobs draws n rows of classes Gaussian clusters on the corners of a simplex.
func blobs(n, features, classes int, std float64, seed uint64) Samples {
	rng := rand.New(rand.NewPCG(seed, 1))
	s := Samples{Features: features}
	for i := range n {
		y := i % classes
		for j := range features {
			x := rng.NormFloat64() * std
			if j%classes == y {
				x++
			}
			s.X = append(s.X, float32(x))
		}
		s.Y = append(s.Y, y)
	}
	return s
}

func TestFitLearns(t *testing.T) {
	set, val := blobs(300, 9, 3, 0.4, 1), blobs(300, 9, 3, 0.4, 2)
	for _, o := range []Options{
		{Classes: 3, Epochs: 40, LearningRate: 0.02},
		{Classes: 3, Epochs: 40, Hidden: []int{16}},
		{Classes: 3, Epochs: 40, Hidden: []int{16}, Optimizer: SGD},
		{Classes: 3, Epochs: 40, Hidden: []int{16, 8}, LabelSmoothing: 0.1, Offset: 0.2, Noise: 0.1, WeightDecay: 0.01},
	} {
		_, r, err := Fit(context.Background(), nil, set, val, o)
		if err != nil {
			t.Fatal(err)
		}
		if r.Validation.Accuracy < 0.97 {
			t.Errorf("%+v: validation accuracy got %v, want at least 0.97", o, r.Validation.Accuracy)
		}
	}
}

// TestGradient compares backward with central differences of the loss.
func TestGradient(t *testing.T) {
	set := blobs(7, 5, 3, 1, 3)
	set.Weight = []float32{1, 2, 0.5, 1, 0, 3, 1}
	o := Options{Hidden: []int{6, 4}, Classes: 3, Batch: 7, LabelSmoothing: 0.1}.withDefaults()
	rng := rand.New(rand.NewPCG(9, 9))
	net, err := NewDense([]int{5, 6, 4, 3}, rng)
	if err != nil {
		t.Fatal(err)
	}
	f := newFitter(net, set, o, rng)
	f.gather(f.order)
	f.backward(7)
	for i, l := range net.Layers {
		for _, p := range []struct{ w, g []float32 }{{l.W, f.dw[i]}, {l.B, f.db[i]}} {
			got := append([]float32(nil), p.g...)
			for j := range p.w {
				const h = 1e-2
				old := p.w[j]
				p.w[j] = old + h
				up := f.backward(7)
				p.w[j] = old - h
				down := f.backward(7)
				p.w[j] = old
				want := (up - down) / (2 * h)
				if math.Abs(float64(got[j])-want) > 2e-3*(1+math.Abs(want)) {
					t.Errorf("layer %d, parameter %d: gradient got %v, want %v", i, j, got[j], want)
				}
			}
		}
	}
}

func TestFitIsDeterministic(t *testing.T) {
	set := blobs(120, 6, 3, 0.5, 4)
	o := Defaults()
	o.Classes, o.Epochs, o.Seed = 3, 8, 11
	run := func(seed uint64) *Dense {
		o.Seed = seed
		d, _, err := Fit(context.Background(), nil, set, Samples{}, o)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if a, b := run(11), run(11); !reflect.DeepEqual(a, b) {
		t.Error("two runs with one seed differ")
	}
	if a, b := run(11), run(12); reflect.DeepEqual(a, b) {
		t.Error("two seeds gave the same network")
	}
}

func TestFitWarmStartKeepsStart(t *testing.T) {
	set := blobs(90, 6, 3, 0.5, 5)
	start, err := NewDense([]int{6, 4, 3}, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	before := start.Clone()
	got, _, err := Fit(context.Background(), start, set, Samples{}, Options{Epochs: 2})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(start, before) {
		t.Error("the starting network was changed")
	}
	if !reflect.DeepEqual(got.Hidden(), []int{4}) {
		t.Errorf("hidden layers got %v, want those of the start [4]", got.Hidden())
	}
	// At a rate near zero the result stays where it began.
	got, _, err = Fit(context.Background(), start, set, Samples{}, Options{Epochs: 1, LearningRate: 1e-12})
	if err != nil {
		t.Fatal(err)
	}
	if d := math.Abs(float64(got.Layers[0].W[0] - start.Layers[0].W[0])); d > 1e-6 {
		t.Errorf("first weight moved by %v", d)
	}
}

func TestWeightZeroIsIgnored(t *testing.T) {
	good := blobs(90, 6, 3, 0.3, 6)
	wrong := blobs(90, 6, 3, 0.3, 7)
	for i := range wrong.Y {
		wrong.Y[i] = (wrong.Y[i] + 1) % 3
	}
	set := Join(good, wrong)
	for i := 90; i < 180; i++ {
		set.Weight[i] = 0
	}
	d, _, err := Fit(context.Background(), nil, set, Samples{}, Options{Classes: 3, Epochs: 40, LearningRate: 0.02})
	if err != nil {
		t.Fatal(err)
	}
	if m := Evaluate(d, good); m.Accuracy < 0.95 {
		t.Errorf("accuracy got %v, want at least 0.95: rows of weight 0 counted", m.Accuracy)
	}
}

func TestEarlyStopping(t *testing.T) {
	set, val := blobs(60, 6, 3, 1.2, 8), blobs(60, 6, 3, 1.2, 9)
	o := Options{Classes: 3, Hidden: []int{32}, Epochs: 400, LearningRate: 0.01, Patience: 5}
	d, r, err := Fit(context.Background(), nil, set, val, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Epochs >= o.Epochs || r.Epochs-r.BestEpoch != o.Patience {
		t.Errorf("stopped after epoch %d with the best at %d, want 5 later and before %d", r.Epochs, r.BestEpoch, o.Epochs)
	}
	if got := Evaluate(d, val); got != r.Validation {
		t.Errorf("validation of the returned network got %+v, want %+v", got, r.Validation)
	}
}

func TestFitErrors(t *testing.T) {
	good := blobs(30, 4, 3, 0.5, 10)
	bad := func(f func(*Samples)) Samples {
		s := good.Select([]int{0, 1, 2, 3})
		f(&s)
		return s
	}
	start, _ := NewDense([]int{5, 3}, rand.New(rand.NewPCG(1, 1)))
	for _, c := range []struct {
		name  string
		start *Dense
		set   Samples
		o     Options
		want  error
	}{
		{"empty", nil, Samples{Features: 4}, Options{Classes: 3}, ErrSamples},
		{"class out of range", nil, bad(func(s *Samples) { s.Y[2] = 3 }), Options{Classes: 3}, ErrSamples},
		{"negative class", nil, bad(func(s *Samples) { s.Y[2] = -1 }), Options{Classes: 3}, ErrSamples},
		{"NaN", nil, bad(func(s *Samples) { s.X[5] = float32(math.NaN()) }), Options{Classes: 3}, ErrSamples},
		{"ragged", nil, bad(func(s *Samples) { s.X = s.X[1:] }), Options{Classes: 3}, ErrSamples},
		{"no features", nil, bad(func(s *Samples) { s.Features = 0 }), Options{Classes: 3}, ErrSamples},
		{"weights all zero", nil, bad(func(s *Samples) { s.Weight = make([]float32, 4) }), Options{Classes: 3}, ErrSamples},
		{"negative weight", nil, bad(func(s *Samples) { s.Weight = []float32{1, 1, -1, 1} }), Options{Classes: 3}, ErrSamples},
		{"start of other width", start, good, Options{}, ErrSamples},
		{"broken start", &Dense{Layers: []Layer{{In: 4, Out: 3}}}, good, Options{}, ErrNetwork},
		{"hidden width", nil, good, Options{Classes: 3, Hidden: []int{0}}, ErrNetwork},
		{"epochs", nil, good, Options{Classes: 3, Epochs: -1}, ErrOptions},
		{"smoothing", nil, good, Options{Classes: 3, LabelSmoothing: 1}, ErrOptions},
		{"optimizer", nil, good, Options{Classes: 3, Optimizer: "lbfgs"}, ErrOptions},
		{"rate", nil, good, Options{Classes: 3, LearningRate: math.NaN()}, ErrOptions},
		{"diverged", nil, bad(func(s *Samples) { s.X[0] = math.MaxFloat32; s.X[1] = -math.MaxFloat32 }), Options{Classes: 3, Optimizer: SGD, LearningRate: 10}, ErrDiverged},
	} {
		if _, _, err := Fit(context.Background(), c.start, c.set, Samples{}, c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Fit(ctx, nil, good, Samples{}, Options{Classes: 3}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: got %v, want %v", err, context.Canceled)
	}
}

func TestProgressHearsEveryEpoch(t *testing.T) {
	var heard []int
	o := Options{Classes: 3, Epochs: 4, Progress: func(p Progress) { heard = append(heard, p.Epoch) }}
	if _, _, err := Fit(context.Background(), nil, blobs(30, 4, 3, 0.5, 10), Samples{}, o); err != nil {
		t.Fatal(err)
	}
	if want := []int{1, 2, 3, 4}; !reflect.DeepEqual(heard, want) {
		t.Errorf("epochs got %v, want %v", heard, want)
	}
}
