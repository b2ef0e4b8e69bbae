package drift

import (
	"fmt"
	"math"
)

// DDMOptions are the parameters of DDM. A zero field means river's default.
type DDMOptions struct {
	WarmStart int     // samples that raise nothing, 30; negative for none
	Warning   float64 // warning level in standard deviations, 2
	Drift     float64 // alarm level in standard deviations, 3
}

// DDM is the drift detection method of Gama et al., "Learning with drift detection"
// (2004), equal to river's drift.binary.DDM. It watches errors, 1 for a wrong answer
// and 0 for a right one, in which higher is worse:
//
//	p += (x - p)/n,  s = sqrt(p(1-p)/n)
//	p_min, s_min = p, s where p + s is least
//	warning when p + s > p_min + warning*s_min, alarm when p + s > p_min + drift*s_min
//
// after the first WarmStart samples. The update after an alarm starts afresh.
type DDM struct {
	opts DDMOptions

	n          int64
	p, s       float64
	pMin, sMin float64 // meaningful once n is past the warm start
	warned     bool
	alarmed    bool
}

// NewDDM makes the detector.
func NewDDM(o DDMOptions) (*DDM, error) {
	if o.WarmStart == 0 {
		o.WarmStart = 30
	}
	if o.Warning == 0 {
		o.Warning = 2
	}
	if o.Drift == 0 {
		o.Drift = 3
	}
	o.WarmStart = max(o.WarmStart, -1)
	var err error
	switch {
	case !finite(o.Warning) || o.Warning <= 0:
		err = fmt.Errorf("warning threshold is %v, want more than 0", o.Warning)
	case !finite(o.Drift) || o.Drift <= 0:
		err = fmt.Errorf("drift threshold is %v, want more than 0", o.Drift)
	}
	if err != nil {
		return nil, fmt.Errorf("drift: %w: %s: %w", ErrParameter, DriftDetectionMethod, err)
	}
	return &DDM{opts: o}, nil
}

// Name returns [DriftDetectionMethod].
func (d *DDM) Name() string { return DriftDetectionMethod }

// Update implements [Detector]. Finite samples outside [0, 1] clamp.
func (d *DDM) Update(x float64) State {
	if !finite(x) {
		return d.state()
	}
	if d.alarmed {
		d.Reset()
	}
	x = min(max(x, 0), 1)
	d.n++
	d.p += float64((1 / float64(d.n)) * (x - d.p))
	// p may leave [0, 1] by a rounding error.
	d.s = math.Sqrt(max(float64(d.p*(1-d.p)), 0) / float64(d.n))
	if d.warming() {
		return Stable
	}
	if d.n == d.warmStart()+1 || d.p+d.s <= d.pMin+d.sMin {
		d.pMin, d.sMin = d.p, d.s
	}
	d.alarmed = d.p+d.s > d.pMin+float64(d.opts.Drift*d.sMin)
	d.warned = !d.alarmed && d.p+d.s > d.pMin+float64(d.opts.Warning*d.sMin)
	return d.state()
}

func (d *DDM) warmStart() int64 { return int64(max(d.opts.WarmStart, 0)) }

// warming reports whether the detector has not seen enough to say anything.
func (d *DDM) warming() bool { return d.n <= d.warmStart() }

func (d *DDM) state() State {
	switch {
	case d.alarmed:
		return Drift
	case d.warned:
		return Warning
	default:
		return Stable
	}
}

// Statistic is how far p + s lies above the least p, in units of its s; an alarm
// needs it above Threshold. Where no error was seen at the least p, s is 0: there
// the statistic is 0, or 1e300 at an alarm.
func (d *DDM) Statistic() float64 {
	switch above := d.p + d.s - d.pMin; {
	case d.warming():
		return 0
	case d.alarmed:
		return max(d.opts.Drift, min(above/d.sMin, maxStatistic))
	case above <= 0:
		return 0
	default: // not above Threshold, but for rounding
		return min(above/d.sMin, math.Nextafter(d.opts.Drift, 0))
	}
}

// Threshold is the alarm level.
func (d *DDM) Threshold() float64 { return d.opts.Drift }

// Reset implements [Detector].
func (d *DDM) Reset() { *d = DDM{opts: d.opts} }

// Explain implements [Detector].
func (d *DDM) Explain() Account {
	warn := 0.0
	if d.warned {
		warn = 1
	}
	return Account{
		Formula: ddmFormula,
		Parameters: []Figure{
			{"warm_start", float64(d.warmStart())}, {"warning_threshold", d.opts.Warning}, {"drift_threshold", d.opts.Drift},
		},
		State: []Figure{{"p", d.p}, {"s", d.s}, {"warn", warn}},
	}
}

// Snapshot implements [Detector].
func (d *DDM) Snapshot() []byte {
	e := newEncoder(kindDDM)
	e.i64(int64(d.opts.WarmStart))
	e.f64(d.opts.Warning)
	e.f64(d.opts.Drift)
	e.i64(d.n)
	for _, v := range [...]float64{d.p, d.s, d.pMin, d.sMin} {
		e.f64(v)
	}
	e.flag(d.warned)
	e.flag(d.alarmed)
	return e.buf
}

// Restore implements [Detector].
func (d *DDM) Restore(snapshot []byte) error {
	r := newDecoder(snapshot, kindDDM)
	r.same("warm start", float64(r.i64()), float64(d.opts.WarmStart))
	r.same("warning threshold", r.f64("warning threshold"), d.opts.Warning)
	r.same("drift threshold", r.f64("drift threshold"), d.opts.Drift)
	next := DDM{opts: d.opts, n: r.count("n")}
	for _, v := range [...]*float64{&next.p, &next.s, &next.pMin, &next.sMin} {
		if *v = r.f64("a rate"); *v < -ddmRounding || *v > 1+ddmRounding {
			r.fail("a rate is out of range")
		}
	}
	next.warned, next.alarmed = r.flag("the warning"), r.flag("the alarm")
	if next.warned && next.alarmed || next.warming() && (next.warned || next.alarmed) {
		r.fail("warns or alarms when it cannot")
	}
	if err := r.end(); err != nil {
		return err
	}
	*d = next
	return nil
}

// ddmRounding is how far a running mean of values in [0, 1] may stray outside.
const ddmRounding = 1e-9
