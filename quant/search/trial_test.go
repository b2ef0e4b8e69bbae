package search

import (
	"math"
	"testing"
)

func TestBeatsGuardsBothHalves(t *testing.T) {
	before := measure{all: 30, even: 30, odd: 30, logits: 30, agreement: 0.98}
	for _, c := range []struct {
		name  string
		after measure
		want  bool
	}{
		{"better everywhere", measure{all: 31, even: 31, odd: 31, logits: 30, agreement: 0.98}, true},
		{"one half stays", measure{all: 31, even: 30, odd: 32, logits: 30, agreement: 0.98}, true},
		{"even half worse", measure{all: 31, even: 29.9, odd: 33, logits: 30, agreement: 0.98}, false},
		{"odd half worse", measure{all: 31, even: 33, odd: 29.9, logits: 30, agreement: 0.98}, false},
		{"within the margin", measure{all: 30.04, even: 30.1, odd: 30, logits: 30, agreement: 0.98}, false},
		{"answers turned", measure{all: 31, even: 31, odd: 31, logits: 30, agreement: 0.97}, false},
		{"logits worse as a whole", measure{all: 31, even: 31, odd: 31, logits: 29.9, agreement: 0.98}, false},
		{"nothing differs", measure{all: math.Inf(1), even: math.Inf(1), odd: math.Inf(1), logits: math.Inf(1), agreement: 1}, true},
	} {
		if got := c.after.beats(before, descentMargin); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	before.agreement = math.NaN()
	if !(measure{all: 31, even: 31, odd: 31, logits: 30, agreement: math.NaN()}).beats(before, descentMargin) {
		t.Error("no classes: got false, want true")
	}
}
