package pipeline

import (
	"cmp"
	"math"
	"slices"

	"kedge/agent/drift"
	"kedge/agent/drift/estimate"
)

// Sizes of the recent window, in samples: alarms of a strong drift come after
// some twenty, so a longer window would dilute what it shows.
const (
	blockSize    = 16
	recentBlocks = 4
)

// A Window sums up some samples.
type Window struct {
	N          uint64
	SignalMean float64
	Classes    []uint64  // answers by class
	Inputs     []float64 // means by feature, standardized
}

// A Report tells what led to an alarm.
type Report struct {
	drift.Explanation // of the first signal
	// Alarms counts the alarms of all watches, and ARL is the run length asked for, all
	// of them together.
	Alarms int64
	ARL    float64
	// Others are the further signals, Inputs the watch over the inputs; nil without.
	Others []SignalReport
	Inputs *InputReport
	// Key and Where are the context of the sample at the alarm; empty without one.
	Key, Where string
	// Estimate is how right the model may be; nil where nothing can be said.
	Estimate *estimate.Estimate
	// Before covers the samples since the reference came into force, without
	// those of After: the 65 to 80 latest, the one of the alarm included.
	Before, After Window
	// Moved lists the features by how far their mean moved, the farthest first.
	Moved []int
}

// A SignalReport tells how a further signal stands.
type SignalReport struct {
	Name string
	drift.Explanation
	Value float64 // at the latest sample
}

// sums is a Window while it is being added up.
type sums struct {
	n       uint64
	signal  float64
	classes []uint64
	inputs  []float64
}

func newSums(classes, features int) sums {
	return sums{classes: make([]uint64, classes), inputs: make([]float64, features)}
}

func (s *sums) merge(o *sums) {
	s.n += o.n
	s.signal += o.signal
	for i, n := range o.classes {
		s.classes[i] += n
	}
	for i, v := range o.inputs {
		s.inputs[i] += v
	}
}

func (s *sums) clear() {
	s.n, s.signal = 0, 0
	clear(s.classes)
	clear(s.inputs)
}

func (s *sums) window() Window {
	w := Window{N: s.n, Classes: slices.Clone(s.classes), Inputs: slices.Clone(s.inputs)}
	if s.n > 0 {
		w.SignalMean = s.signal / float64(s.n)
		for i := range w.Inputs {
			w.Inputs[i] /= float64(s.n)
		}
	}
	return w
}

// stats adds up samples in blocks. Whole blocks move from the recent window to
// what was before it, so that no sample has to be kept.
//
// Invariant: before and all blocks together hold every sample once.
type stats struct {
	before sums
	blocks [recentBlocks + 1]sums // a ring; blocks[at] is being filled
	at     int
}

func newStats(classes, features int) *stats {
	s := &stats{before: newSums(classes, features)}
	for i := range s.blocks {
		s.blocks[i] = newSums(classes, features)
	}
	return s
}

func (s *stats) add(class int, signal float64, features []float32) {
	if s.blocks[s.at].n == blockSize {
		s.at = (s.at + 1) % len(s.blocks)
		s.before.merge(&s.blocks[s.at])
		s.blocks[s.at].clear()
	}
	b := &s.blocks[s.at]
	b.n++
	b.signal += signal
	if class >= 0 {
		b.classes[class]++
	}
	for i, v := range features {
		b.inputs[i] += float64(v)
	}
}

// recent sums the blocks.
func (s *stats) recent() sums {
	all := newSums(len(s.before.classes), len(s.before.inputs))
	for i := range s.blocks {
		all.merge(&s.blocks[i])
	}
	return all
}

// report is called at an alarm.
func (m *Model) report() *Report {
	recent := m.stats.recent()
	r := &Report{
		Explanation: m.watches[0].monitor.Explain(), Alarms: m.alarms, ARL: m.arl, Estimate: m.estimate(),
		Before: m.stats.before.window(), After: recent.window(),
	}
	for _, w := range m.watches[1:] {
		r.Others = append(r.Others, SignalReport{Name: w.signal.Name, Explanation: w.monitor.Explain(), Value: w.value})
	}
	if m.context != nil {
		r.Key, r.Where = m.context.Key, m.where
	}
	if m.inputs != nil {
		r.Inputs = m.inputs.report()
	}
	r.Moved = make([]int, len(m.names))
	for i := range r.Moved {
		r.Moved[i] = i
	}
	distance := func(i int) float64 { return math.Abs(r.After.Inputs[i] - r.Before.Inputs[i]) }
	slices.SortStableFunc(r.Moved, func(a, b int) int { return cmp.Compare(distance(b), distance(a)) })
	return r
}
