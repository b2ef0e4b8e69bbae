package drift

import (
	"fmt"
	"math"
)

// CusumOptions are the parameters of river's CUSUM. A zero field means river's
// default; a slack that shall really be zero is written as the smallest positive
// float64.
type CusumOptions struct {
	Direction    Direction
	MinInstances int     // samples that the reference is taken from, 30
	Slack        float64 // k, tolerated deviation per sample in standard deviations, 0.5
	Threshold    float64 // h, alarm threshold in standard deviations, 5
}

// Cusum is the tabular CUSUM of Page, "Continuous inspection schemes" (1954), with
// mean mu and standard deviation sigma (ddof 1) of the first MinInstances samples,
// equal to river's drift.CUSUM:
//
//	S+ = max(0, S+ + (x - mu) - k*sigma),  up   when S+ > h*sigma
//	S- = max(0, S- - (x - mu) - k*sigma),  down when S- > h*sigma
//
// from the MinInstances-th sample on, which so counts for the reference and for the
// sums. The update after an alarm starts afresh, with a new reference. Where the
// reference is constant, any departure is an alarm.
type Cusum struct {
	opts CusumOptions

	n        int64
	mean     float64 // of the reference; until it is whole, the running one
	square   float64 // sum of squared deviations in the reference
	up, down float64 // S+ and S-
	alarmed  bool
}

// NewCusum makes the detector.
func NewCusum(o CusumOptions) (*Cusum, error) {
	if o.MinInstances == 0 {
		o.MinInstances = 30
	}
	if o.Slack == 0 {
		o.Slack = 0.5
	}
	if o.Threshold == 0 {
		o.Threshold = 5
	}
	var err error
	switch {
	case o.Direction > Down:
		err = fmt.Errorf("direction is %d", o.Direction)
	case o.MinInstances < 1:
		err = fmt.Errorf("min instances is %d, want at least 1", o.MinInstances)
	case !finite(o.Slack) || o.Slack < 0:
		err = fmt.Errorf("slack is %v, want at least 0", o.Slack)
	case !finite(o.Threshold) || o.Threshold <= 0:
		err = fmt.Errorf("threshold is %v, want more than 0", o.Threshold)
	}
	if err != nil {
		return nil, fmt.Errorf("drift: %w: %s: %w", ErrParameter, CUSUM, err)
	}
	return &Cusum{opts: o}, nil
}

// Name returns [CUSUM].
func (c *Cusum) Name() string { return CUSUM }

// Update implements [Detector]; samples beyond 1e100 are skipped like infinities.
func (c *Cusum) Update(x float64) State {
	if !(math.Abs(x) <= riverMax) {
		return c.state()
	}
	if c.alarmed {
		c.Reset()
	}
	c.n++
	if c.n <= int64(c.opts.MinInstances) {
		before := x - c.mean
		c.mean += float64(before / float64(c.n))
		c.square += float64(before * (x - c.mean))
		if c.n < int64(c.opts.MinInstances) {
			return Stable
		}
	}
	dev, k := x-c.mean, float64(c.opts.Slack*c.sigma())
	c.up = max(0, c.up+dev-k)
	c.down = max(0, c.down-dev-k)
	c.alarmed = c.sum() > float64(c.opts.Threshold*c.sigma())
	return c.state()
}

func (c *Cusum) state() State {
	switch {
	case c.alarmed:
		return Drift
	case c.Statistic() >= WarnRatio*c.opts.Threshold:
		return Warning
	default:
		return Stable
	}
}

// sigma is the reference's standard deviation; that of a single sample is 0.
func (c *Cusum) sigma() float64 {
	if c.opts.MinInstances < 2 {
		return 0
	}
	return math.Sqrt(max(c.square, 0) / float64(c.opts.MinInstances-1))
}

// sum is the larger of the watched sides.
func (c *Cusum) sum() float64 {
	switch c.opts.Direction {
	case Up:
		return c.up
	case Down:
		return c.down
	default:
		return max(c.up, c.down)
	}
}

// Statistic is the larger of the watched sides in standard deviations; an alarm
// needs it above Threshold. A constant reference has none to measure with: there it
// is 0, or 1e300 at an alarm.
func (c *Cusum) Statistic() float64 {
	switch sum, sigma := c.sum(), c.sigma(); {
	case c.alarmed:
		return max(c.opts.Threshold, min(sum/sigma, maxStatistic))
	case sum == 0:
		return 0
	default: // not above Threshold, but for rounding
		return min(sum/sigma, math.Nextafter(c.opts.Threshold, 0))
	}
}

// maxStatistic keeps statistics in units of a vanishing deviation finite.
const maxStatistic = 1e300

// Threshold is h.
func (c *Cusum) Threshold() float64 { return c.opts.Threshold }

// Reset implements [Detector].
func (c *Cusum) Reset() { *c = Cusum{opts: c.opts} }

// Explain implements [Detector].
func (c *Cusum) Explain() Account {
	return Account{
		Formula: cusumFormula,
		Parameters: []Figure{
			{"mode", float64(c.opts.Direction)}, {"min_instances", float64(c.opts.MinInstances)},
			{"slack", c.opts.Slack}, {"threshold", c.opts.Threshold},
		},
		State: []Figure{{"inc", c.up}, {"dec", c.down}},
	}
}

// Snapshot implements [Detector].
func (c *Cusum) Snapshot() []byte {
	e := newEncoder(kindCusum)
	e.u8(byte(c.opts.Direction))
	e.i64(int64(c.opts.MinInstances))
	e.f64(c.opts.Slack)
	e.f64(c.opts.Threshold)
	e.i64(c.n)
	for _, v := range [...]float64{c.mean, c.square, c.up, c.down} {
		e.f64(v)
	}
	e.flag(c.alarmed)
	return e.buf
}

// Restore implements [Detector].
func (c *Cusum) Restore(snapshot []byte) error {
	d := newDecoder(snapshot, kindCusum)
	d.same("direction", float64(d.u8()), float64(c.opts.Direction))
	d.same("min instances", float64(d.i64()), float64(c.opts.MinInstances))
	d.same("slack", d.f64("slack"), c.opts.Slack)
	d.same("threshold", d.f64("threshold"), c.opts.Threshold)
	next := Cusum{opts: c.opts, n: d.count("n")}
	for _, v := range [...]*float64{&next.mean, &next.square, &next.up, &next.down} {
		if *v = d.f64("a sum"); math.Abs(*v) > maxSquares {
			d.fail("a sum is out of range")
		}
	}
	next.alarmed = d.flag("the alarm")
	if next.up < 0 || next.down < 0 {
		d.fail("a sum is negative")
	}
	if learning := next.n < int64(c.opts.MinInstances); learning && (next.alarmed || next.up != 0 || next.down != 0) {
		d.fail("counts before its reference is whole")
	}
	if err := d.end(); err != nil {
		return err
	}
	*c = next
	return nil
}
