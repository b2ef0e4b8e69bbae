// Package estimate tells how right a model may still be: with labels, and without.
// What it says without labels is an indicator, never an accuracy, and no alarm: that
// is for the sequential detectors.
//
// The centre fits an ATC to held-out samples (Fit), which travels to the device in the
// bundle. There a Window sees every confidence, and Window.ATC or Window.DoC give the
// estimate with its interval. Where labels come late, Newcombe is the interval of the
// accuracy lost.
//
// Intervals are of 95 %. Samples that depend on each other count for fewer: whoever
// calls says by what factor (drift.Reference.Inflation). They cover the chance of the
// draw, not that a drift may break the link between confidence and being right, on
// which every estimate without labels rests.
//
// The package is pure. A Window belongs to one goroutine.
package estimate

import (
	"errors"
	"fmt"
	"math"
)

// ErrFit: no threshold can be made of these samples.
var ErrFit = errors.New("no threshold for the estimate of accuracy")

// z is the quantile of the normal distribution at 0.975.
const z = 1.959963984540054

// An Interval holds the true value in 95 of 100 cases.
type Interval struct{ Low, High float64 }

// Wilson is the score interval of a share p of n samples (E. B. Wilson, Probable
// inference, the law of succession, and statistical inference, 1927). n need not be
// whole. Without samples it is [0, 1].
func Wilson(p, n float64) Interval {
	if !(n > 0) {
		return Interval{0, 1}
	}
	center := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return Interval{max(center-half, 0), min(center+half, 1)}
}

// Newcombe is the interval of the difference p1 - p2 of two independent shares: the
// hybrid score interval, method 10 of R. G. Newcombe, Interval estimation for the
// difference between independent proportions (1998).
func Newcombe(p1, n1, p2, n2 float64) Interval {
	a, b := Wilson(p1, n1), Wilson(p2, n2)
	d := p1 - p2
	return Interval{
		max(d-math.Hypot(p1-a.Low, b.High-p2), -1),
		min(d+math.Hypot(a.High-p1, p2-b.Low), 1),
	}
}

// An ATC is an average thresholded confidence (Garg et al., Leveraging unlabeled data
// to predict out-of-distribution performance, 2022): the share of confidences above a
// threshold that was chosen so that on held-out samples the share is the accuracy.
//
// Confidences of int8 models lie on 256 steps, many on the same. One that lies on the
// threshold counts for as much as makes both shares equal.
type ATC struct {
	Threshold uint8   `json:"threshold"` // floor(256 x confidence)
	Share     float64 `json:"share"`     // what a confidence on the threshold counts, 0 to 1
	Accuracy  float64 `json:"accuracy"`  // on the held-out samples
	N         int     `json:"n"`         // how many they were
}

// Fit makes an ATC of confidences, as lattice steps, and of whether they were right.
func Fit(steps []uint8, right []bool) (ATC, error) {
	if len(steps) == 0 || len(steps) != len(right) {
		return ATC{}, fmt.Errorf("%d confidences of %d answers: %w", len(steps), len(right), ErrFit)
	}
	var counts [256]int
	correct := 0
	for i, q := range steps {
		counts[q]++
		if right[i] {
			correct++
		}
	}
	a := ATC{Accuracy: float64(correct) / float64(len(steps)), N: len(steps)}
	left := correct // as many of the highest confidences are to count
	for q := 255; ; q-- {
		if counts[q] >= left && counts[q] > 0 {
			a.Threshold, a.Share = uint8(q), float64(left)/float64(counts[q])
			return a, nil
		}
		left -= counts[q]
	}
}

// counts is what a confidence counts for.
func (a *ATC) counts(q uint8) float64 {
	switch {
	case q > a.Threshold:
		return 1
	case q == a.Threshold:
		return a.Share
	}
	return 0
}

// Size is how many samples a Window holds.
const Size = 500

// A Window holds the confidences of the latest samples. The zero Window is empty.
type Window struct {
	steps [Size]uint8
	n     int // filled
	next  int
}

// Add takes a confidence as a lattice step.
func (w *Window) Add(q uint8) {
	w.steps[w.next] = q
	w.next = (w.next + 1) % Size
	w.n = min(w.n+1, Size)
}

// N is how many samples are in the window.
func (w *Window) N() int { return w.n }

// Kinds of estimates.
const (
	KindATC = "atc"
	KindDoC = "doc"
)

// An Estimate is how right the model may be by the samples of a window, and the drift
// score: the accuracy lost since the reference.
type Estimate struct {
	Kind     string
	N        int     // samples in the window
	Accuracy float64 // NaN where only the score can be told
	Interval Interval
	Score    float64
	Lost     Interval // of the score
}

// ATC estimates by thresholded confidences; inflation is at least 1. ok is false for an
// empty window.
func (w *Window) ATC(a *ATC, inflation float64) (e Estimate, ok bool) {
	if w.n == 0 {
		return e, false
	}
	sum := 0.0
	for _, q := range w.steps[:w.n] {
		sum += a.counts(q)
	}
	p := sum / float64(w.n)
	here, there := Wilson(p, float64(w.n)/inflation), Wilson(a.Accuracy, float64(a.N)/inflation)
	// The threshold errs by as much as the accuracy that it was fitted to. Square and
	// add, as Newcombe does for differences.
	return Estimate{
		Kind: KindATC, N: w.n, Accuracy: p, Score: a.Accuracy - p,
		Interval: Interval{
			max(p-math.Hypot(p-here.Low, a.Accuracy-there.Low), 0),
			min(p+math.Hypot(here.High-p, there.High-a.Accuracy), 1),
		},
		Lost: Newcombe(a.Accuracy, float64(a.N)/inflation, p, float64(w.n)/inflation),
	}, true
}

// DoC estimates the accuracy lost by the difference of confidences (Guillory et al.,
// Predicting with confidence on unseen distributions, 2021): the reference's mean, of
// n samples with a standard deviation, less the window's. Its interval is the normal one.
func (w *Window) DoC(mean, std float64, n int64, inflation float64) (e Estimate, ok bool) {
	if w.n == 0 || n == 0 {
		return e, false
	}
	sum, squares := 0.0, 0.0
	for _, q := range w.steps[:w.n] {
		x := float64(q) / 256
		sum += x
		squares += float64(x * x)
	}
	here := sum / float64(w.n)
	variance := max(squares/float64(w.n)-float64(here*here), 0)
	half := z * math.Sqrt(inflation*(std*std/float64(n)+variance/float64(w.n)))
	d := mean - here
	return Estimate{
		Kind: KindDoC, N: w.n, Accuracy: math.NaN(), Interval: Interval{math.NaN(), math.NaN()},
		Score: d, Lost: Interval{max(d-half, -1), min(d+half, 1)},
	}, true
}
