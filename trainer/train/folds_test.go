package train

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
)

func TestCombine(t *testing.T) {
	original := blobs(6, 4, 3, 0.5, 1)
	a, b := blobs(3, 4, 3, 0.5, 2), blobs(2, 4, 3, 0.5, 3)
	b.Weight = []float32{0.5, 1}
	always, newest, err := Combine(original, []Samples{a}, b)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := always.Weight, []float32{1, 1, 1, 1, 1, 1, EarlierWeight, EarlierWeight, EarlierWeight}; !reflect.DeepEqual(got, want) {
		t.Errorf("weights got %v, want %v", got, want)
	}
	if got, want := newest.Weight, []float32{LatestWeight / 2, LatestWeight}; !reflect.DeepEqual(got, want) {
		t.Errorf("newest weights got %v, want %v", got, want)
	}
	all := Join(always, newest)
	if all.Len() != 11 || !reflect.DeepEqual(all.Row(9), b.Row(0)) || all.Y[9] != b.Y[0] {
		t.Errorf("joined set has %d rows, row 9 %v", all.Len(), all.Row(9))
	}
	if _, _, err := Combine(original, nil, blobs(2, 5, 3, 1, 1)); !errors.Is(err, ErrSamples) {
		t.Errorf("other features: got %v, want %v", err, ErrSamples)
	}
}

// TestCrossConfidencesAreHeldOut uses labels that are pure noise: a network
// that saw a row can learn it by heart, one that did not is right by chance.
func TestCrossConfidencesAreHeldOut(t *testing.T) {
	set := blobs(90, 30, 3, 1, 1)
	for i := range set.Y {
		set.Y[i] = (i / 7) % 3
	}
	for j := range set.X {
		set.X[j] = blobs(1, 1, 1, 1, uint64(j)).X[0]
	}
	o := Options{Classes: 3, Hidden: []int{32}, Epochs: 60, LearningRate: 0.01}
	net, _, err := Fit(context.Background(), nil, set, Samples{}, o)
	if err != nil {
		t.Fatal(err)
	}
	if m := Evaluate(net, set); m.Accuracy < 0.98 {
		t.Fatalf("accuracy on its own rows got %v: the network cannot learn noise, the test shows nothing", m.Accuracy)
	}
	held, err := CrossConfidences(context.Background(), nil, Samples{}, set, 5, o)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i, h := range held {
		if h.Correct != (h.Class == set.Y[i]) {
			t.Fatalf("row %d: %+v, class is %d", i, h, set.Y[i])
		}
		if h.Correct {
			right++
		}
	}
	if len(held) != 90 || right > 60 {
		t.Errorf("%d of %d held-out rows of noise are right, want about a third", right, len(held))
	}
}

func TestCrossConfidencesRefuses(t *testing.T) {
	set := blobs(10, 4, 3, 0.5, 1)
	for _, c := range []struct {
		name           string
		always, folded Samples
		k              int
		want           error
	}{
		{"one fold", Samples{}, set, 1, ErrOptions},
		{"one row", set, set.Select([]int{0}), 5, ErrSamples},
		{"other features", blobs(10, 5, 3, 0.5, 1), set, 5, ErrSamples},
	} {
		if _, err := CrossConfidences(context.Background(), nil, c.always, c.folded, c.k, Options{Classes: 3}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	// More folds than rows leave one row out at a time.
	held, err := CrossConfidences(context.Background(), nil, set, set.Select([]int{0, 1, 2}), 50, Options{Classes: 3, Epochs: 1})
	if err != nil || len(held) != 3 {
		t.Errorf("50 folds of 3 rows: got %d answers, %v, want 3", len(held), err)
	}
}

func TestConfidencesKeepsAllInAnotherOrder(t *testing.T) {
	held := make([]Held, 100)
	for i := range held {
		held[i].Confidence = float64(i) / 256
	}
	got := Confidences(held, 1)
	if slices.IsSorted(got) {
		t.Error("the order was kept")
	}
	if !reflect.DeepEqual(got, Confidences(held, 1)) {
		t.Error("the same seed gave two orders")
	}
	slices.Sort(got)
	for i, c := range got {
		if c != held[i].Confidence {
			t.Fatalf("value %d got %v, want %v", i, c, held[i].Confidence)
		}
	}
}
