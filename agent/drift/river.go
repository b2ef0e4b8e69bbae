package drift

import (
	"cmp"
	"fmt"
	"math"
)

// Direction is the side on which the river mode looks for a change of the mean.
type Direction uint8

// The directions. The zero value is river's own default.
const (
	Both Direction = iota
	Up
	Down
)

// RiverOptions are the parameters of river's Page-Hinkley. A zero field means
// river's default; a parameter that shall really be zero is written as the smallest
// positive float64.
type RiverOptions struct {
	Direction    Direction
	Delta        float64 // tolerated deviation per sample, 0.005
	Lambda       float64 // alarm threshold ("threshold" in river), 50
	Alpha        float64 // forgetting factor of the sums in (0, 1], 0.9999
	MinInstances int     // samples before the first alarm, 30
}

// River is Page-Hinkley with a running mean, equal bit for bit to river's
// drift.PageHinkley since the version that has modes:
//
//	m  += (1/n)(x - m)
//	S+  = alpha*S+ + (x - m) - delta,  up   when S+ - min S+ > lambda
//	S-  = alpha*S- + (x - m) + delta,  down when max S- - S- > lambda
//
// from the MinInstances-th sample on. The update after an alarm starts afresh.
type River struct {
	opts RiverOptions

	n        int64
	mean     float64
	up, low  float64 // S+ and its minimum
	down, hi float64 // S- and its maximum
	alarmed  bool
}

// riverLow and riverHigh are river's initial extremes. The first sample replaces
// both for every delta in (-1, 1).
const (
	riverLow  = 1
	riverHigh = -1
)

// Samples beyond riverMax would overflow the sums after some more like them, and
// are no measurements; sums beyond riverMaxSum cannot come about.
const (
	riverMax    = 1e100
	riverMaxSum = 1e200
)

// NewRiver makes the detector.
func NewRiver(o RiverOptions) (*River, error) {
	err := runningMean(&o.Delta, &o.Lambda, &o.Alpha, &o.MinInstances)
	if o.Direction > Down {
		err = fmt.Errorf("direction is %d", o.Direction)
	}
	if err != nil {
		return nil, fmt.Errorf("drift: %w: %s: %w", ErrParameter, PageHinkleyRiver, err)
	}
	r := &River{opts: o}
	r.Reset()
	return r, nil
}

// runningMean sets parameters that are 0 to the defaults that river and MOA have in
// common, and checks them.
func runningMean(delta, lambda, alpha *float64, minInstances *int) error {
	*delta, *lambda, *alpha = cmp.Or(*delta, 0.005), cmp.Or(*lambda, 50), cmp.Or(*alpha, 0.9999)
	*minInstances = cmp.Or(*minInstances, 30)
	switch {
	case !finite(*delta) || *delta < 0:
		return fmt.Errorf("delta is %v, want at least 0", *delta)
	case !finite(*lambda) || *lambda < 0:
		return fmt.Errorf("lambda is %v, want at least 0", *lambda)
	case !(*alpha > 0 && *alpha <= 1):
		return fmt.Errorf("alpha is %v, want (0, 1]", *alpha)
	case *minInstances < 1:
		return fmt.Errorf("min instances is %d, want at least 1", *minInstances)
	}
	return nil
}

// Name returns [PageHinkleyRiver].
func (r *River) Name() string { return PageHinkleyRiver }

// Update implements [Detector]; samples beyond 1e100 are skipped like infinities.
// The conversions to float64 forbid fused multiply-add: river rounds every step.
func (r *River) Update(x float64) State {
	if !(math.Abs(x) <= riverMax) {
		return r.state()
	}
	if r.alarmed {
		r.Reset()
	}
	r.n++
	r.mean += float64((1 / float64(r.n)) * (x - r.mean))
	dev := x - r.mean
	r.up = float64(r.opts.Alpha*r.up) + dev - r.opts.Delta
	r.down = float64(r.opts.Alpha*r.down) + dev + r.opts.Delta
	r.low = min(r.low, r.up)
	r.hi = max(r.hi, r.down)
	r.alarmed = r.n >= int64(r.opts.MinInstances) && r.Statistic() > r.opts.Lambda
	return r.state()
}

func (r *River) state() State {
	switch {
	case r.alarmed:
		return Drift
	case r.n >= int64(r.opts.MinInstances) && r.Statistic() >= WarnRatio*r.opts.Lambda:
		return Warning
	default:
		return Stable
	}
}

// Sides returns the statistics of both directions: up = S+ - min S+ and
// down = max S- - S-.
func (r *River) Sides() (up, down float64) {
	if r.n == 0 {
		return 0, 0
	}
	return r.up - r.low, r.hi - r.down
}

// Mean is the running mean since the last start.
func (r *River) Mean() float64 { return r.mean }

// Statistic is the larger of the watched sides; an alarm needs it above Threshold.
func (r *River) Statistic() float64 {
	up, down := r.Sides()
	switch r.opts.Direction {
	case Up:
		return up
	case Down:
		return down
	default:
		return max(up, down)
	}
}

// Threshold is lambda.
func (r *River) Threshold() float64 { return r.opts.Lambda }

// Reset implements [Detector].
func (r *River) Reset() {
	*r = River{opts: r.opts, low: riverLow, hi: riverHigh}
}

// Explain implements [Detector].
func (r *River) Explain() Account {
	up, down := r.Sides()
	return Account{
		Formula: riverFormula,
		Parameters: []Figure{
			{"mode", float64(r.opts.Direction)}, {"delta", r.opts.Delta}, {"lambda", r.opts.Lambda},
			{"alpha", r.opts.Alpha}, {"min_instances", float64(r.opts.MinInstances)},
		},
		State: []Figure{{"mean", r.mean}, {"inc", up}, {"dec", down}},
	}
}

// Snapshot implements [Detector].
func (r *River) Snapshot() []byte {
	e := newEncoder(kindRiver)
	e.u8(byte(r.opts.Direction))
	e.f64(r.opts.Delta)
	e.f64(r.opts.Lambda)
	e.f64(r.opts.Alpha)
	e.i64(int64(r.opts.MinInstances))
	e.i64(r.n)
	for _, v := range [...]float64{r.mean, r.up, r.low, r.down, r.hi} {
		e.f64(v)
	}
	e.flag(r.alarmed)
	return e.buf
}

// Restore implements [Detector].
func (r *River) Restore(snapshot []byte) error {
	d := newDecoder(snapshot, kindRiver)
	d.same("direction", float64(d.u8()), float64(r.opts.Direction))
	d.same("delta", d.f64("delta"), r.opts.Delta)
	d.same("lambda", d.f64("lambda"), r.opts.Lambda)
	d.same("alpha", d.f64("alpha"), r.opts.Alpha)
	d.same("min instances", float64(d.i64()), float64(r.opts.MinInstances))
	next := River{opts: r.opts, n: d.count("n")}
	for _, v := range [...]*float64{&next.mean, &next.up, &next.low, &next.down, &next.hi} {
		if *v = d.f64("a sum"); math.Abs(*v) > riverMaxSum {
			d.fail("a sum is out of range")
		}
	}
	next.alarmed = d.flag("the alarm")
	if err := d.end(); err != nil {
		return err
	}
	*r = next
	return nil
}
