package drift

import (
	"fmt"
	"math"
)

// Compat says whose ADWIN is imitated: both differ from the paper and from each
// other.
type Compat uint8

// The imitated ones. The zero value is river.
const (
	// CompatRiver leaves the newest bucket of every row out of the search for a cut,
	// and starts afresh after an alarm.
	CompatRiver Compat = iota
	// CompatMOA looks at every bucket, wants two samples more on either side of a cut,
	// and after an alarm goes on with what is left of the window.
	CompatMOA
)

// AdwinOptions are the parameters of ADWIN. A zero field means the default of river,
// which is also MOA's. MOA itself has all but Delta fixed.
type AdwinOptions struct {
	Compat          Compat
	Delta           float64 // confidence in (0, 1], 0.002
	Clock           int     // samples from one search for a cut to the next, 32
	MaxBuckets      int     // buckets of a size before two merge, 2 to 64, 5
	MinWindowLength int     // samples on either side of a cut, 5
	GracePeriod     int     // window beyond which cuts are searched for, 10
}

// Adwin is the adaptive window of Bifet and Gavaldà, "Learning from time-changing
// data with adaptive windowing" (2007), for changes to either side:
//
//	a window of width w, total and variance, in buckets of 1, 2, 4, ... samples
//	every clock samples, for every cut into n0 older and n1 newer samples:
//	  d   = ln(2 ln(w)/delta),  m = 1/(n0-min+1) + 1/(n1-min+1)
//	  eps = sqrt(2 m (variance/w) d) + 2/3 d m
//	  |mean0 - mean1| > eps: drop the oldest bucket, search again, alarm
//
// It equals river's drift.ADWIN or MOA's ADWIN, by Compat; MOA's integers overflow
// where a window exceeds some ten thousand samples, which is not imitated.
//
// The memory is that of [adwinRows] rows of buckets, taken at once: 3 KiB at the
// default. A window that would need more loses its oldest bucket, at 4e9 samples.
type Adwin struct {
	opts AdwinOptions

	window    adwinWindow
	tick      int64 // samples since the start
	statistic float64
	alarmed   bool
}

// maxBuckets bounds what one row may hold.
const maxBuckets = 64

// NewAdwin makes the detector.
func NewAdwin(o AdwinOptions) (*Adwin, error) {
	if o.Delta == 0 {
		o.Delta = 0.002
	}
	for _, p := range [...]struct {
		value    *int
		standard int
	}{{&o.Clock, 32}, {&o.MaxBuckets, 5}, {&o.MinWindowLength, 5}, {&o.GracePeriod, 10}} {
		if *p.value == 0 {
			*p.value = p.standard
		}
	}
	var err error
	switch {
	case o.Compat > CompatMOA:
		err = fmt.Errorf("compat is %d", o.Compat)
	case !(o.Delta > 0 && o.Delta <= 1):
		err = fmt.Errorf("delta is %v, want (0, 1]", o.Delta)
	case o.Clock < 1:
		err = fmt.Errorf("clock is %d, want at least 1", o.Clock)
	case o.MaxBuckets < 2 || o.MaxBuckets > maxBuckets:
		err = fmt.Errorf("max buckets is %d, want 2 to %d", o.MaxBuckets, maxBuckets)
	case o.MinWindowLength < 1:
		err = fmt.Errorf("min window length is %d, want at least 1", o.MinWindowLength)
	case o.GracePeriod < 1:
		err = fmt.Errorf("grace period is %d, want at least 1", o.GracePeriod)
	}
	if err != nil {
		return nil, fmt.Errorf("drift: %w: %s: %w", ErrParameter, ADWIN, err)
	}
	return &Adwin{opts: o, window: newAdwinWindow(o.MaxBuckets)}, nil
}

// Name returns [ADWIN].
func (a *Adwin) Name() string { return ADWIN }

// Update implements [Detector]; samples beyond 1e100 are skipped like infinities.
func (a *Adwin) Update(x float64) State {
	if !(math.Abs(x) <= riverMax) {
		return a.state()
	}
	if a.alarmed {
		if a.opts.Compat == CompatRiver {
			a.Reset()
		}
		a.alarmed, a.statistic = false, 0
	}
	a.window.insert(x)
	a.tick++
	if a.tick%int64(a.opts.Clock) == 0 && a.window.width > float64(a.opts.GracePeriod) {
		a.statistic = 0
		for a.cut() {
			a.window.drop()
			a.alarmed = true
		}
	}
	return a.state()
}

// cut searches for the first cut, from the oldest bucket on, whose sides differ, and
// notes the largest ratio of difference to epsilon on the way.
func (a *Adwin) cut() bool {
	w := &a.window
	n0, u0, n1, u1 := 0.0, 0.0, w.width, w.total
	spare, least := 1, float64(a.opts.MinWindowLength)
	if a.opts.Compat == CompatMOA {
		spare, least = 0, least+2
	}
	for row := w.rows - 1; row >= 0; row-- {
		size := bucketSize(row)
		for _, b := range w.row(row)[:max(w.filled[row]-spare, 0)] {
			n0, u0, n1, u1 = n0+size, u0+b.total, n1-size, u1-b.total
			if n0 < least || n1 < least {
				continue
			}
			apart, epsilon := math.Abs(u0/n0-u1/n1), a.epsilon(n0, n1)
			// A variance that rounding made negative gives no epsilon, and no cut.
			if ratio := apart / epsilon; ratio > a.statistic {
				a.statistic = min(ratio, maxStatistic)
			}
			if apart > epsilon {
				return true
			}
		}
	}
	return false
}

// epsilon is how far the means of n0 and n1 samples may be apart.
func (a *Adwin) epsilon(n0, n1 float64) float64 {
	least := float64(a.opts.MinWindowLength)
	d := math.Log(2 * math.Log(a.window.width) / a.opts.Delta)
	m := 1/(n0-least+1) + 1/(n1-least+1)
	return math.Sqrt(2*m*(a.window.variance/a.window.width)*d) + float64(2.0/3*d*m)
}

func (a *Adwin) state() State {
	switch {
	case a.alarmed:
		return Drift
	case a.statistic >= WarnRatio:
		return Warning
	default:
		return Stable
	}
}

// Statistic is the largest |mean0 - mean1|/eps of the last search for a cut.
func (a *Adwin) Statistic() float64 { return a.statistic }

// Threshold is 1; an alarm needs a statistic above it.
func (a *Adwin) Threshold() float64 { return 1 }

// Reset implements [Detector].
func (a *Adwin) Reset() {
	a.window.clear()
	a.tick, a.statistic, a.alarmed = 0, 0, false
}

// copy shares nothing with a.
func (a *Adwin) copy() *Adwin {
	next := *a
	next.window = a.window.copy()
	return &next
}

// Explain implements [Detector].
func (a *Adwin) Explain() Account {
	return Account{
		Formula: adwinFormula,
		Parameters: []Figure{
			{"compat", float64(a.opts.Compat)}, {"delta", a.opts.Delta}, {"clock", float64(a.opts.Clock)},
			{"max_buckets", float64(a.opts.MaxBuckets)}, {"min_window_length", float64(a.opts.MinWindowLength)},
			{"grace_period", float64(a.opts.GracePeriod)},
		},
		State: []Figure{{"width", a.window.width}, {"total", a.window.total}, {"variance", a.window.variance}},
	}
}

// Snapshot implements [Detector]. It takes 16 bytes a bucket: 1 KiB after 10,000
// samples at the default, 2.5 KiB at most.
func (a *Adwin) Snapshot() []byte {
	e := newEncoder(kindAdwin)
	e.u8(byte(a.opts.Compat))
	e.f64(a.opts.Delta)
	for _, v := range [...]int{a.opts.Clock, a.opts.MaxBuckets, a.opts.MinWindowLength, a.opts.GracePeriod} {
		e.i64(int64(v))
	}
	e.i64(a.tick)
	e.f64(a.statistic)
	e.flag(a.alarmed)
	a.window.encode(e)
	return e.buf
}

// Restore implements [Detector].
func (a *Adwin) Restore(snapshot []byte) error {
	d := newDecoder(snapshot, kindAdwin)
	d.same("compat", float64(d.u8()), float64(a.opts.Compat))
	d.same("delta", d.f64("delta"), a.opts.Delta)
	d.same("clock", float64(d.i64()), float64(a.opts.Clock))
	d.same("max buckets", float64(d.i64()), float64(a.opts.MaxBuckets))
	d.same("min window length", float64(d.i64()), float64(a.opts.MinWindowLength))
	d.same("grace period", float64(d.i64()), float64(a.opts.GracePeriod))
	next := Adwin{opts: a.opts, tick: d.count("the count of samples")}
	next.statistic = d.f64("the statistic")
	if next.statistic < 0 || next.statistic > maxStatistic {
		d.fail("the statistic is out of range")
	}
	if next.alarmed = d.flag("the alarm"); next.alarmed != (next.statistic > 1) {
		d.fail("statistic and alarm differ")
	}
	next.window = newAdwinWindow(a.opts.MaxBuckets)
	next.window.decode(d)
	if next.window.width > float64(next.tick) {
		d.fail("the window holds more samples than were seen")
	}
	if err := d.end(); err != nil {
		return err
	}
	*a = next
	return nil
}
