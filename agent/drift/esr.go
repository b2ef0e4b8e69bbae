package drift

import (
	"fmt"
	"math"
)

// ESROptions are the parameters of the e-detector.
type ESROptions struct {
	// Mu0 is the smallest mean that counts as undrifted, below 1. See
	// [Reference.ESRMean].
	Mu0 float64
	// ARL is the promised expected number of samples to a false alarm, more than 1.
	ARL float64
	// Block is the number of successive samples averaged into one observation; 0
	// and 1 mean none. Blocks make correlated samples nearly independent.
	Block int
}

// esrBets is the number of bet sizes that are mixed; a drop of any size finds one
// that is near its best.
const esrBets = 10

// Bet sizes as shares of the largest that keeps every factor positive.
const (
	esrSmallestBet = 0.01
	esrLargestBet  = 0.95
)

// esrCap keeps the products finite in a long run without a reset; the logarithm
// of the evidence saturates near 690, far above every threshold.
const esrCap = 1e300

// esrLeastAlarm keeps the threshold above what one block can reach from nothing when
// blocks are about as long as the run length.
const esrLeastAlarm = 2

// ESR is the Shiryaev-Roberts e-detector for the mean of a bounded signal (Shin,
// Ramdas, Rinaldo, "E-detectors: a nonparametric framework for sequential change
// detection"), for a falling mean of a signal in [0, 1]:
//
//	M_j = (M_j + 1)(1 + kappa_j (mu0 - x)),  alarm when mean(M) >= ARL
//
// with ten kappa_j spaced geometrically in [0.01, 0.95]/(1 - mu0). While the
// conditional mean of x stays at mu0 or above, mean(M) - n is a supermartingale, so
// the expected run length is at least ARL whatever the distribution; nothing needs
// to be estimated but mu0.
type ESR struct {
	opts  ESROptions
	alarm float64 // mean(M) that is an alarm: ARL in blocks
	kappa [esrBets]float64

	m     [esrBets]float64
	e     float64 // mean(M)
	sum   float64 // of the unfinished block
	count int     // samples in the unfinished block
}

// NewESR makes the detector.
func NewESR(o ESROptions) (*ESR, error) {
	o.Block = max(o.Block, 1)
	if !finite(o.Mu0) || o.Mu0 >= 1 {
		return nil, fmt.Errorf("drift: %w: %s: mu0 is %v, want below 1", ErrParameter, EDetector, o.Mu0)
	}
	if !finite(o.ARL) || o.ARL <= 1 {
		return nil, fmt.Errorf("drift: %w: %s: run length is %v, want more than 1", ErrParameter, EDetector, o.ARL)
	}
	d := &ESR{opts: o, alarm: max(o.ARL/float64(o.Block), esrLeastAlarm)}
	ratio := math.Pow(esrLargestBet/esrSmallestBet, 1/float64(esrBets-1))
	bet := esrSmallestBet / (1 - o.Mu0)
	for j := range d.kappa {
		d.kappa[j] = bet
		bet *= ratio
	}
	return d, nil
}

// Name returns [EDetector].
func (d *ESR) Name() string { return EDetector }

// Update implements [Detector]. Finite samples outside [0, 1] clamp.
func (d *ESR) Update(x float64) State {
	if !finite(x) {
		return d.state()
	}
	d.sum += min(max(x, 0), 1)
	d.count++
	if d.count < d.opts.Block {
		return d.state()
	}
	fall := d.opts.Mu0 - d.sum/float64(d.count)
	d.sum, d.count = 0, 0
	total := 0.0
	for j, k := range d.kappa {
		d.m[j] = min((d.m[j]+1)*(1+k*fall), esrCap)
		total += d.m[j] / esrBets
	}
	d.e = total
	return d.state()
}

func (d *ESR) state() State { return stateOf(d.Statistic(), d.Threshold()) }

// Statistic is the natural logarithm of mean(M), 0 where that is below 1: the
// logarithm grows about linearly in a drift and so compares with other statistics.
func (d *ESR) Statistic() float64 { return math.Log(max(d.e, 1)) }

// LogE is the exact logarithm of mean(M), -Inf before the first block ends.
func (d *ESR) LogE() float64 { return math.Log(d.e) }

// Threshold is the natural logarithm of the promised run length in blocks.
func (d *ESR) Threshold() float64 { return math.Log(d.alarm) }

// Reset implements [Detector].
func (d *ESR) Reset() {
	d.m, d.e, d.sum, d.count = [esrBets]float64{}, 0, 0, 0
}

// Explain implements [Detector].
func (d *ESR) Explain() Account {
	return Account{
		Formula: esrFormula,
		Parameters: []Figure{
			{"mu0", d.opts.Mu0}, {"arl", d.opts.ARL}, {"block", float64(d.opts.Block)},
		},
		State: []Figure{{"log_e", math.Log(max(d.e, math.SmallestNonzeroFloat64))}}, // finite before the first block ends
	}
}

// Snapshot implements [Detector].
func (d *ESR) Snapshot() []byte {
	e := newEncoder(kindESR)
	e.f64(d.opts.Mu0)
	e.f64(d.opts.ARL)
	e.i64(int64(d.opts.Block))
	for _, m := range d.m {
		e.f64(m)
	}
	e.f64(d.e)
	e.f64(d.sum)
	e.i64(int64(d.count))
	return e.buf
}

// Restore implements [Detector].
func (d *ESR) Restore(snapshot []byte) error {
	r := newDecoder(snapshot, kindESR)
	r.same("mu0", r.f64("mu0"), d.opts.Mu0)
	r.same("run length", r.f64("run length"), d.opts.ARL)
	r.same("block", float64(r.i64()), float64(d.opts.Block))
	next := *d
	for j := range next.m {
		next.m[j] = r.f64("M")
		if next.m[j] < 0 || next.m[j] > esrCap {
			r.fail("M is out of range")
		}
	}
	next.e = r.f64("the mean of M")
	next.sum = r.f64("the block's sum")
	count := r.count("the block's count")
	switch {
	case next.e < 0 || next.e > esrCap:
		r.fail("the mean of M is out of range")
	case count >= int64(d.opts.Block) || next.sum < 0 || next.sum > float64(count):
		r.fail("the block is impossible")
	}
	if err := r.end(); err != nil {
		return err
	}
	next.count = int(count)
	*d = next
	return nil
}
