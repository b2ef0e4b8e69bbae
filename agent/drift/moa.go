package drift

import (
	"fmt"
	"math"
)

// MOAOptions are the parameters of MOA's Page-Hinkley. A zero field means MOA's
// default; a parameter that shall really be zero is written as the smallest positive
// float64.
type MOAOptions struct {
	Delta        float64 // tolerated deviation per sample, 0.005
	Lambda       float64 // alarm threshold, 50
	Alpha        float64 // forgetting factor of the sum in (0, 1], 0.9999
	MinInstances int     // an alarm may come at the sample before this one, 30
}

// MOA is Page-Hinkley with a running mean for a rising signal, equal to
// PageHinkleyDM of MOA (Waikato):
//
//	m += (x - m)/n
//	S  = alpha*S + (x - m - delta),  alarm when S - min S > lambda
//
// It counts one sample more than it has seen and so can raise an alarm one sample
// before MinInstances. The update after an alarm starts afresh. It watches errors
// or a complement, in which higher is worse.
type MOA struct {
	opts MOAOptions

	n        int64
	mean     float64
	sum, low float64 // S and its minimum
	alarmed  bool
}

// NewMOA makes the detector.
func NewMOA(o MOAOptions) (*MOA, error) {
	if err := runningMean(&o.Delta, &o.Lambda, &o.Alpha, &o.MinInstances); err != nil {
		return nil, fmt.Errorf("drift: %w: %s: %w", ErrParameter, PageHinkleyMOA, err)
	}
	return &MOA{opts: o}, nil
}

// Name returns [PageHinkleyMOA].
func (m *MOA) Name() string { return PageHinkleyMOA }

// Update implements [Detector]; samples beyond 1e100 are skipped like infinities.
func (m *MOA) Update(x float64) State {
	if !(math.Abs(x) <= riverMax) {
		return m.state()
	}
	if m.alarmed {
		m.Reset()
	}
	m.n++
	m.mean += float64((x - m.mean) / float64(m.n))
	m.sum = float64(m.opts.Alpha*m.sum) + (x - m.mean - m.opts.Delta)
	if m.n == 1 {
		m.low = m.sum
	}
	m.low = min(m.low, m.sum)
	m.alarmed = m.ready() && m.Statistic() > m.opts.Lambda
	return m.state()
}

// ready is MOA's test of its count, which is one ahead.
func (m *MOA) ready() bool { return m.n+1 >= int64(m.opts.MinInstances) }

func (m *MOA) state() State {
	switch {
	case m.alarmed:
		return Drift
	case m.ready() && m.n > 0 && m.Statistic() >= WarnRatio*m.opts.Lambda:
		return Warning
	default:
		return Stable
	}
}

// Statistic is S - min S; an alarm needs it above Threshold.
func (m *MOA) Statistic() float64 { return m.sum - m.low }

// Threshold is lambda.
func (m *MOA) Threshold() float64 { return m.opts.Lambda }

// Reset implements [Detector].
func (m *MOA) Reset() { *m = MOA{opts: m.opts} }

// Explain implements [Detector].
func (m *MOA) Explain() Account {
	return Account{
		Formula: moaFormula,
		Parameters: []Figure{
			{"delta", m.opts.Delta}, {"lambda", m.opts.Lambda}, {"alpha", m.opts.Alpha},
			{"min_instances", float64(m.opts.MinInstances)},
		},
		State: []Figure{{"mean", m.mean}, {"pht", m.Statistic()}},
	}
}

// Snapshot implements [Detector].
func (m *MOA) Snapshot() []byte {
	e := newEncoder(kindMOA)
	e.f64(m.opts.Delta)
	e.f64(m.opts.Lambda)
	e.f64(m.opts.Alpha)
	e.i64(int64(m.opts.MinInstances))
	e.i64(m.n)
	for _, v := range [...]float64{m.mean, m.sum, m.low} {
		e.f64(v)
	}
	e.flag(m.alarmed)
	return e.buf
}

// Restore implements [Detector].
func (m *MOA) Restore(snapshot []byte) error {
	d := newDecoder(snapshot, kindMOA)
	d.same("delta", d.f64("delta"), m.opts.Delta)
	d.same("lambda", d.f64("lambda"), m.opts.Lambda)
	d.same("alpha", d.f64("alpha"), m.opts.Alpha)
	d.same("min instances", float64(d.i64()), float64(m.opts.MinInstances))
	next := MOA{opts: m.opts, n: d.count("n")}
	for _, v := range [...]*float64{&next.mean, &next.sum, &next.low} {
		if *v = d.f64("a sum"); math.Abs(*v) > riverMaxSum {
			d.fail("a sum is out of range")
		}
	}
	next.alarmed = d.flag("the alarm")
	if err := d.end(); err != nil {
		return err
	}
	*m = next
	return nil
}
