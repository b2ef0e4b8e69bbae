package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"kedge/agent/drift"
)

// Lengths of streams, in samples.
const (
	control = 10000 // without a change
	lead    = 1000  // before the change
	horizon = 5000  // after it
)

// result is what the streams of a kind came to.
type result struct {
	falseAlarm   float64 // share of streams with one
	alarms       int     // false ones
	samples      int     // without a change
	median, mean float64
	missed       float64
}

// runLength is the samples per false alarm; where there was none, how many there were
// without.
func (r result) runLength() string {
	if r.alarms == 0 {
		return fmt.Sprintf("> %d", r.samples)
	}
	return fmt.Sprint(r.samples / r.alarms)
}

// tune finds the threshold at which one stream in twenty has a false alarm.
func tune(s scenario, d detector, streams int) (float64, error) {
	most, errs := make([]float64, streams), make([]error, streams)
	parallel(streams, func(i int) {
		w, next, err := s.begin(d, math.Inf(1), i, -1)
		if errs[i] = err; err != nil {
			return
		}
		for t := range control {
			w.update(next(t))
			most[i] = math.Max(most[i], w.statistic())
		}
	})
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	slices.Sort(most)
	return most[streams-streams/20-1], nil
}

// measure runs streams on all processors.
func measure(s scenario, d detector, streams int) (result, error) {
	threshold := 0.0
	if d.tuned {
		var err error
		if threshold, err = tune(s, d, streams); err != nil {
			return result{}, err
		}
	}
	alarms, delays, errs := make([]int, streams), make([]float64, streams), make([]error, streams)
	parallel(streams, func(i int) {
		if alarms[i], errs[i] = s.control(d, threshold, i); errs[i] == nil {
			delays[i], errs[i] = s.delay(d, threshold, i)
		}
	})
	r := result{samples: control * streams}
	for i := range streams {
		if errs[i] != nil {
			return r, errs[i]
		}
		r.alarms += alarms[i]
		if alarms[i] > 0 {
			r.falseAlarm += 1 / float64(streams)
		}
		if delays[i] == horizon {
			r.missed += 1 / float64(streams)
		}
		r.mean += delays[i] / float64(streams)
	}
	slices.Sort(delays)
	r.median = delays[streams/2]
	return r, nil
}

// parallel calls f for 0..n-1 on all processors.
func parallel(n int, f func(i int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range runtime.NumCPU() {
		all.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

// begin draws the reference and shows it to the detector, for those that need to see
// the signal before they can tell a change.
func (s scenario) begin(d detector, threshold float64, stream, change int) (watcher, func(i int) (float64, string), error) {
	rng := rand.New(rand.NewPCG(uint64(stream), uint64(change+2)))
	if change >= 0 {
		change += s.reference
	}
	next := s.start(rng, change)
	xs, contexts := make([]float64, s.reference), make([]string, s.reference)
	for i := range xs {
		xs[i], contexts[i] = next(i)
	}
	ref, err := drift.NewReference(xs)
	if err == nil && contexts[0] != "" {
		ref, err = drift.NewContextReference(xs, contexts)
	}
	if err != nil {
		return watcher{}, nil, err
	}
	w, err := d.make(ref, threshold)
	return w, func(i int) (float64, string) { return next(s.reference + i) }, err
}

// control counts false alarms.
func (s scenario) control(d detector, threshold float64, stream int) (alarms int, err error) {
	w, next, err := s.begin(d, threshold, stream, -1)
	if err != nil {
		return 0, err
	}
	for i := range control {
		if w.update(next(i)) {
			alarms++
		}
	}
	return alarms, nil
}

// delay is that of the first alarm after the change.
func (s scenario) delay(d detector, threshold float64, stream int) (float64, error) {
	w, next, err := s.begin(d, threshold, stream, lead)
	if err != nil {
		return 0, err
	}
	for i := range lead + horizon {
		if w.update(next(i)) && i >= lead {
			return float64(i - lead + 1), nil
		}
	}
	return horizon, nil
}

// promise is a signal of which references are drawn.
type promise struct {
	name    string
	weights []float64
}

var promises = []promise{
	{"Beta(19,1)", beta(19)}, {"Beta(3,1)", beta(3)}, {"saturated", saturated()},
	{"one in 20 at zero", two(0, 255, .05)}, {"one in 200 at zero", two(0, 255, .005)},
	{"uniform", uniform(0, 255)}, {"Beta(19,1) and 1 % uniform", mix(.99, beta(19), uniform(0, 255))},
}

// wanted is the run length that the pair promises by default.
const wanted = drift.DefaultARL

// measure counts the references of n samples that keep the promise.
func (p promise) measure(n, draws int) (string, error) {
	s := newSource(p.weights)
	lengths, errs := make([]float64, draws), make([]error, draws)
	parallel(draws, func(i int) { lengths[i], errs[i] = runLength(s, n, rand.New(rand.NewPCG(uint64(i), uint64(n)))) })
	kept := 0
	for i, length := range lengths {
		if errs[i] != nil {
			return "", errs[i]
		}
		if length >= wanted {
			kept++
		}
	}
	slices.Sort(lengths)
	return fmt.Sprintf("| %s | %d | %.2f | %.0f, %.0f |\n", p.name, n, float64(kept)/float64(draws), lengths[0], lengths[draws/20]), nil
}

// runLength simulates the pair until its run length is known well enough.
func runLength(s *source, n int, rng *rand.Rand) (float64, error) {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = s.draw(rng)
	}
	ref, err := drift.NewReference(xs)
	if err != nil {
		return 0, err
	}
	m, err := drift.New(drift.Options{Reference: ref})
	if err != nil {
		return 0, err
	}
	alarms := 0
	for steps := 1; ; steps++ {
		if len(m.Update(s.draw(rng)).Fired) > 0 {
			alarms++
		}
		length := float64(steps) / math.Max(float64(alarms), 1)
		if steps%wanted == 0 && (steps == 40*wanted || steps >= 6*wanted && (length > 4*wanted || length < wanted/3)) {
			return length, nil
		}
	}
}
