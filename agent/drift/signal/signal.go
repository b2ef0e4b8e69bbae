// Package signal computes the numbers that a drift monitor watches from what a
// model computed: one number per inference in [0, 1] in which lower is worse.
//
// The first call is Parse, which checks a declaration as a bundle makes it. Then
// Signal.Value takes each inference. Device and trainer use the same code, so that
// a reference describes what the device sees.
//
// The package is pure. A Signal is a value and may be used by many goroutines.
package signal

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Names of signals, as a bundle's manifest writes them.
const (
	// Top1 is the highest class probability.
	Top1 = "top1"
	// Margin is the difference of the two highest logits, over the declared High. An
	// int8 softmax saturates at 255/256 where the margin still tells samples apart.
	Margin = "margin"
	// Entropy is 1 - H/ln K, with the entropy H of the K class probabilities.
	Entropy = "entropy"
	// Reconstruction is 1 - e/High, with the mean squared difference e between the
	// output and the input of an autoencoder, in standardized units.
	Reconstruction = "reconstruction"
	// OutputPrefix is followed by the index of an output element, from 0, whose value
	// is scaled from [Low, High] to [0, 1], or to [1, 0] if Falling.
	OutputPrefix = "output:"
)

// ErrSignal: a declaration that is not known, or not for this model.
var ErrSignal = errors.New("unsuitable signal")

// A Signal is a declared signal. Values beyond its range are clipped.
type Signal struct {
	Name string
	// Low and High are the range of an output. High alone is what counts as fully sure
	// for Margin, and as fully wrong for Reconstruction. Others have neither.
	Low, High float64
	// Falling: the higher the output, the worse.
	Falling bool

	output int // index, for OutputPrefix
}

// An Inference is what a model computed from one input.
type Inference struct {
	Output []float64 // probabilities of the classes, or whatever the model gives
	Logits []float64 // what went into the final softmax; nil where no signal needs it
	Input  []float64 // standardized; nil where no signal needs it
}

// Parse checks a declaration.
func Parse(name string, low, high float64, falling bool) (Signal, error) {
	s := Signal{Name: name, Low: low, High: high, Falling: falling}
	fail := func(want string) (Signal, error) {
		return Signal{}, fmt.Errorf("signal %.40q with low %g and high %g: want %s: %w", name, low, high, want, ErrSignal)
	}
	index, isOutput := strings.CutPrefix(name, OutputPrefix)
	switch {
	case math.IsInf(low, 0) || math.IsNaN(low) || math.IsInf(high, 0) || math.IsNaN(high):
		return fail("finite numbers")
	case isOutput:
		i, err := strconv.ParseUint(index, 10, 31)
		if err != nil || strconv.FormatUint(i, 10) != index {
			return fail("output:0, output:1, ...")
		}
		if high-low <= 0 || math.IsInf(high-low, 0) {
			return fail("a range from low to high")
		}
		s.output = int(i)
	case name == Margin || name == Reconstruction:
		if low != 0 || high <= 0 || falling {
			return fail("high alone, above 0")
		}
	case name == Top1 || name == Entropy:
		if low != 0 || high != 0 || falling {
			return fail("no range")
		}
	default:
		return Signal{}, fmt.Errorf("signal %.40q: this version knows top1, margin, entropy, reconstruction and output:<i>: %w", name, ErrSignal)
	}
	return s, nil
}

// NeedsClasses reports whether the signal is one of a classifier.
func (s Signal) NeedsClasses() bool { return s.Name == Top1 || s.Name == Margin || s.Name == Entropy }

// NeedsLogits reports whether Value reads Inference.Logits.
func (s Signal) NeedsLogits() bool { return s.Name == Margin }

// NeedsInput reports whether Value reads Inference.Input.
func (s Signal) NeedsInput() bool { return s.Name == Reconstruction }

// Fits checks that a model with so many inputs and outputs has the signal.
func (s Signal) Fits(inputs, outputs int) error {
	found := ""
	switch {
	case (s.Name == Margin || s.Name == Entropy) && outputs < 2:
		found = fmt.Sprintf("%d outputs, want 2 or more classes", outputs)
	case s.Name == Reconstruction && inputs != outputs:
		found = fmt.Sprintf("%d inputs and %d outputs, want as many of both", inputs, outputs)
	case strings.HasPrefix(s.Name, OutputPrefix) && s.output >= outputs:
		found = fmt.Sprintf("%d outputs, counted from 0", outputs)
	default:
		return nil
	}
	return fmt.Errorf("signal %q: %s: %w", s.Name, found, ErrSignal)
}

// Value is the signal of one inference, in [0, 1]; a NaN if the model computed one.
// It allocates nothing.
func (s Signal) Value(v *Inference) float64 {
	switch s.Name {
	case Top1:
		first, _ := highest(v.Output)
		return clip(first)
	case Margin:
		first, second := highest(v.Logits)
		return clip((first - second) / s.High)
	case Entropy:
		return clip(1 - entropy(v.Output)/math.Log(float64(len(v.Output))))
	case Reconstruction:
		return clip(1 - squaredError(v.Output, v.Input)/s.High)
	}
	x := (v.Output[s.output] - s.Low) / (s.High - s.Low)
	if s.Falling {
		x = 1 - x
	}
	return clip(x)
}

// clip keeps a NaN, which the monitor counts as no number.
func clip(x float64) float64 { return min(max(x, 0), 1) }

// highest returns the two highest values; NaN if there is one.
func highest(xs []float64) (first, second float64) {
	first, second = math.Inf(-1), math.Inf(-1)
	for _, x := range xs {
		switch {
		case math.IsNaN(x):
			return x, x
		case x > first:
			first, second = x, first
		case x > second:
			second = x
		}
	}
	return first, second
}

// entropy is -sum p ln p, where a p of 0, or below by rounding, adds nothing. The p are
// divided by their sum, which an int8 softmax leaves off 1 by some steps.
func entropy(ps []float64) float64 {
	sum, weighted := 0.0, 0.0
	for _, p := range ps {
		if math.IsNaN(p) {
			return p
		}
		if p > 0 {
			sum += p
			weighted += float64(p * math.Log(p)) // rounded before the sum, on every board
		}
	}
	if sum == 0 {
		return math.NaN()
	}
	return math.Log(sum) - weighted/sum
}

func squaredError(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		d := x - b[i]
		sum += float64(d * d)
	}
	return sum / float64(len(a))
}
