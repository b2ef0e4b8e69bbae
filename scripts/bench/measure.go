package main

import (
	"math"
	"slices"
	"time"

	"kedge/runtime"
	"kedge/runtime/kernel"
)

// turn is how long one turn should take.
const turn = 5 * time.Millisecond

// runner does something n times and says how long the shortest and the median
// time took, in µs.
type runner func(n int) (times, error)

type times struct {
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
}

// series are the times of all turns of one runner.
type series []times

// shortest of all.
func (s series) shortest() float64 {
	best := math.Inf(1)
	for _, t := range s {
		best = min(best, t.Min)
	}
	return best
}

// median of the turns' medians, and the range that 80 % of them lie in.
func (s series) median() (low, middle, high float64) {
	var all []float64
	for _, t := range s {
		all = append(all, t.Median)
	}
	return quantiles(all)
}

// ratio of the medians of neighboring turns: of all pairs the median, and the range
// of 80 %.
func (s series) ratio(other series) (low, middle, high float64) {
	var all []float64
	for i := range s {
		all = append(all, s[i].Median/other[i].Median)
	}
	return quantiles(all)
}

func quantiles(all []float64) (low, middle, high float64) {
	slices.Sort(all)
	last := len(all) - 1
	return all[last/10], all[last/2], all[last-last/10]
}

// alternate gives every runner its turn, for a number of rounds.
func alternate(rounds int, runners []runner) ([]series, error) {
	counts := make([]int, len(runners))
	for i, run := range runners {
		if _, err := run(3); err != nil { // caches, lazy initialization
			return nil, err
		}
		t, err := run(3)
		if err != nil {
			return nil, err
		}
		counts[i] = int(min(max(turn.Seconds()*1e6/max(t.Min, 0.1), 3), 5000))
	}
	all := make([]series, len(runners))
	for range rounds {
		for i, run := range runners {
			t, err := run(counts[i])
			if err != nil {
				return nil, err
			}
			all[i] = append(all[i], t)
		}
	}
	return all, nil
}

// repeated times calls of f.
func repeated(f func()) runner {
	buffer := make([]float64, 0, 5000)
	return func(n int) (times, error) {
		all := buffer[:0]
		for range n {
			start := time.Now()
			f()
			all = append(all, float64(time.Since(start).Nanoseconds())/1e3)
		}
		slices.Sort(all)
		return times{all[0], all[n/2]}, nil
	}
}

// peakLoop is a runner of the set's peak loop and its operations per call, 0
// where there is none.
func peakLoop(set *kernel.Set) (runner, int64) {
	if set.Peak(1) == 0 {
		return nil, 0
	}
	n := 1
	for took := time.Duration(0); took < turn/20; n *= 2 {
		start := time.Now()
		set.Peak(2 * n)
		took = time.Since(start)
	}
	return repeated(func() { set.Peak(n) }), set.Peak(n)
}

// result is what was measured of one model.
type result struct {
	model string
	macs  int64
	sets  []setResult
	peer  series // empty for none
}

type setResult struct {
	name string
	runs series
	yardstick
	slow, moving []operator
}

// measure times the model with every kernel set, best first, and the peer.
func (m *model) measure(other *peer, rounds int) (result, error) {
	r := result{model: m.name}
	var runners []runner
	var peaks []int64
	names := kernel.Sets()
	if len(names) > 1 {
		names = names[:len(names)-1] // plain Go is the last resort, and slow
	}
	for _, name := range names {
		s, macs, err := m.session(name)
		if err != nil {
			return r, err
		}
		set, err := kernel.Choose(name)
		if err != nil {
			return r, err
		}
		r.macs = macs
		r.sets = append(r.sets, setResult{name: name})
		runners = append(runners, repeated(func() { s.Invoke() }))
		loop, n := peakLoop(set)
		if loop == nil {
			loop = repeated(func() {})
		}
		runners, peaks = append(runners, loop), append(peaks, n)
	}
	if other != nil && m.peer != "" {
		runners = append(runners, other.runner(m.peer))
	}
	all, err := alternate(rounds, runners)
	if err != nil {
		return r, err
	}
	for i := range r.sets {
		set := &r.sets[i]
		set.runs = all[2*i]
		if peaks[i] > 0 {
			set.peak = float64(peaks[i]) / all[2*i+1].shortest()
		}
		all, err := m.operators(set)
		if err != nil {
			return r, err
		}
		set.slow, set.moving = set.far(all), moving(all, set.runs.shortest())
	}
	if len(all) > 2*len(r.sets) {
		r.peer = all[2*len(r.sets)]
	}
	return r, nil
}

// session loads the model for a kernel set, with any input.
func (m *model) session(set string) (*runtime.Session, int64, error) {
	loaded, err := runtime.Load(m.file, runtime.Options{Kernels: set})
	if err != nil {
		return nil, 0, err
	}
	s, err := loaded.NewSession(runtime.SessionOptions{})
	if err != nil {
		return nil, 0, err
	}
	for i := range s.Inputs() {
		in := s.Input(i)
		for j := range in {
			in[j] = byte(j * 37)
		}
	}
	return s, loaded.MACs(), nil
}

// operator is one of a model with its shortest time.
type operator struct {
	runtime.OpReport
	traffic
	us float64
}

// lowShare of the peak is what operators that multiply should reach.
const lowShare = 0.05

// far are the operators that do not.
func (y *yardstick) far(all []operator) []operator {
	var found []operator
	for _, o := range all {
		if *o.MACs > 0 && float64(*o.MACs) < lowShare*y.peak*o.us {
			found = append(found, o)
		}
	}
	return found
}

// operators times every operator of the model, and the clock.
func (m *model) operators(set *setResult) ([]operator, error) {
	loaded, err := runtime.Load(m.file, runtime.Options{Kernels: set.name})
	if err != nil {
		return nil, err
	}
	s, err := loaded.NewSession(runtime.SessionOptions{})
	if err != nil {
		return nil, err
	}
	moved, err := m.traffic()
	if err != nil {
		return nil, err
	}
	ops := loaded.Operators()
	best := make([]float64, len(ops))
	for i := range best {
		best[i] = math.Inf(1)
	}
	var last time.Time
	note := func(i int) {
		best[i] = min(best[i], float64(time.Since(last).Nanoseconds())/1e3)
		last = time.Now()
	}
	for end := time.Now().Add(40 * turn); time.Now().Before(end); {
		last = time.Now()
		s.Trace(note)
	}
	all := make([]operator, len(ops))
	for i, o := range ops {
		all[i] = operator{o, moved[i], best[i]}
	}
	best[0] = math.Inf(1)
	for range 1000 {
		last = time.Now()
		note(0)
	}
	set.clock = best[0]
	return all, nil
}
