package calib

import "fmt"

// WarningKind is what a warning is about.
type WarningKind string

// The kinds of warnings.
const (
	// FewSamples: the ranges rest on too little.
	FewSamples WarningKind = "few samples"
	// EqualSamples: all samples look alike to the network.
	EqualSamples WarningKind = "equal samples"
	// InputScale: the inputs seem to be on another scale than the network's.
	InputScale WarningKind = "input scale"
)

// Warning is something doubtful about the calibration samples.
type Warning struct {
	Kind WarningKind
	Text string // what was found, and what to do
}

// Enough is how many samples are asked for. The error that too few leave was
// measured on three networks for images and speech: against 40 to 100 samples,
// 16 cost 1 to 5 dB of the logits' signal-to-quantization-noise ratio, 4 cost
// 7 to 11 and a single one about 15.
const Enough = 32

// Warnings judges the samples, worst first. An empty result is no proof that they
// are good.
func (s *Statistics) Warnings() []Warning {
	var w []Warning
	if text := s.tooSmall(); text != "" {
		w = append(w, Warning{InputScale, text})
	}
	if text := s.tooLarge(); text != "" {
		w = append(w, Warning{InputScale, text})
	}
	switch {
	case s.Samples > 1 && s.alike():
		w = append(w, Warning{EqualSamples, fmt.Sprintf(
			"all %d samples give the same extremes everywhere; give samples that differ as real inputs do", s.Samples)})
	case s.Samples < Enough:
		w = append(w, Warning{FewSamples, fmt.Sprintf(
			"%d calibration samples: ranges found on 16 cost 1 to 5 dB, on 4 about 10, on one about 15; give %d or more, of every kind that will occur", s.Samples, Enough)})
	}
	return w
}

// alike reports whether no activation has other extremes in one sample than in
// another.
func (s *Statistics) alike() bool {
	for i := range s.Tensors {
		t := &s.Tensors[i]
		for k := range t.SampleMin {
			if t.SampleMin[k] != t.SampleMin[0] || t.SampleMax[k] != t.SampleMax[0] {
				return false
			}
		}
	}
	return true
}

// CompareRange judges what graph input i was given by the range that it is known
// to have, from an int8 model of the same network or from the model's own
// parameters; the text is empty when they fit. Samples rarely fill the range, so
// only a factor of 8 and more counts.
func (s *Statistics) CompareRange(i int, known Range) (Warning, bool) {
	t := s.Tensor(s.g.Inputs[i])
	if t == nil {
		return Warning{}, false
	}
	have, want := max(-t.Min, t.Max), max(-known.Min, known.Max)
	if have == 0 || want == 0 || have < 8*want && want < 8*have {
		return Warning{}, false
	}
	return Warning{InputScale, fmt.Sprintf(
		"input %q holds %v to %v, the model is known to take %v to %v; scale the samples as the float model takes them", t.Name, t.Min, t.Max, known.Min, known.Max)}, true
}
