package main

import (
	"math"

	"kedge/agent/drift"
)

// watcher is one detector over one stream.
type watcher struct {
	update    func(x float64, context string) (alarm bool)
	statistic func() float64 // after the update; of tuned detectors only
}

// detector makes watchers.
type detector struct {
	name string
	// tuned detectors alarm above a threshold that is found by trying.
	tuned bool
	// rare ones promise a false alarm in 10^9 samples.
	rare bool
	make func(ref drift.Reference, threshold float64) (watcher, error)
}

// fleet is the run length that a large fleet asks for.
const fleet = 1e9

var detectors = []detector{
	{name: "kedge", make: pair(wanted)},
	{name: "kedge, 10^9", rare: true, make: pair(fleet)},
	{name: "frozen Page-Hinkley alone, tuned", tuned: true, make: frozen},
	{name: "e-sr alone", make: esr(wanted)},
	{name: "e-sr alone, 10^9", rare: true, make: esr(fleet)},
	{name: "river Page-Hinkley", make: func(drift.Reference, float64) (watcher, error) {
		return alone(drift.NewRiver(drift.RiverOptions{}))
	}},
	{name: "river Page-Hinkley, tuned", tuned: true, make: func(_ drift.Reference, threshold float64) (watcher, error) {
		return alone(drift.NewRiver(drift.RiverOptions{Direction: drift.Down, Lambda: math.Max(math.Min(threshold, unreached), 1e-9)}))
	}},
	{name: "river ADWIN", make: func(drift.Reference, float64) (watcher, error) {
		return alone(drift.NewAdwin(drift.AdwinOptions{}))
	}},
	{name: "MOA ADWIN", make: func(drift.Reference, float64) (watcher, error) {
		return alone(drift.NewAdwin(drift.AdwinOptions{Compat: drift.CompatMOA}))
	}},
}

// unreached stands for no threshold while it is looked for.
const unreached = 1 << 20

// alone is a detector that is not told the context.
func alone[D drift.Detector](d D, err error) (watcher, error) {
	return watcher{
		update:    func(x float64, _ string) bool { return d.Update(x) == drift.Drift },
		statistic: func() float64 { return d.Statistic() },
	}, err
}

// restarted is alone for a detector that does not start afresh after an alarm by itself.
func restarted[D drift.Detector](d D, err error) (watcher, error) {
	w, err := alone(d, err)
	return watcher{statistic: w.statistic, update: func(x float64, context string) bool {
		alarm := w.update(x, context)
		if alarm {
			d.Reset()
		}
		return alarm
	}}, err
}

func pair(arl float64) func(drift.Reference, float64) (watcher, error) {
	return func(ref drift.Reference, _ float64) (watcher, error) {
		m, err := drift.New(drift.Options{Reference: ref, ARL: arl})
		return watcher{update: func(x float64, context string) bool { return len(m.UpdateIn(x, context).Fired) > 0 }}, err
	}
}

// frozen tolerates two points below the reference's mean.
func frozen(ref drift.Reference, threshold float64) (watcher, error) {
	k := drift.Quantize(ref.Mean() - drift.DefaultDelta)
	h := math.Round(math.Min(threshold, unreached)*drift.LatticeSize) + 1
	return restarted(drift.NewFrozen(int(k), int(h)))
}

func esr(arl float64) func(drift.Reference, float64) (watcher, error) {
	return func(ref drift.Reference, _ float64) (watcher, error) {
		return restarted(drift.NewESR(drift.ESROptions{Mu0: ref.ESRMean(arl), ARL: arl}))
	}
}
