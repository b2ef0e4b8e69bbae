package drift

import (
	"math"
	"math/rand/v2"
)

// Forecast is what a reference and a promise come to: thresholds, what they cost and
// what they bring.
type Forecast struct {
	Samples   int64   `json:"samples"`
	Weak      bool    `json:"weak"` // fewer than [FullReference]
	Mean      float64 `json:"mean"`
	StdErr    float64 `json:"standard_error"`
	Wander    float64 `json:"wander"`    // slow variation of the mean that is no drift; 0 where none shows
	Inflation float64 `json:"inflation"` // samples that tell as much as an independent one
	Block     int     `json:"block"`     // samples that the e-detector averages
	Contexts  int     `json:"contexts"`
	ARL       float64 `json:"arl"` // asked for, both detectors together

	Delta     float64 `json:"delta"`      // loss of the mean that Page-Hinkley tolerates
	Lambda    float64 `json:"lambda"`     // its threshold
	RunLength float64 `json:"run_length"` // that lambda gives in the least favorable case
	Mu0       float64 `json:"mu0"`        // least mean that the e-detector takes for undrifted
	LogE      float64 `json:"log_e"`      // its threshold
	Promise   float64 `json:"promise"`    // its run length, whatever the distribution

	Delays []Delay `json:"delays"`
}

// Delay is the mean number of samples from a loss of the mean to the alarm, from a
// standing start. NaN is never written: what takes longer than is counted is 0.
type Delay struct {
	Drop        float64 `json:"drop"`
	PageHinkley float64 `json:"page_hinkley,omitempty"` // exact for independent samples
	ESR         float64 `json:"e_sr,omitempty"`         // simulated
	Pair        float64 `json:"pair,omitempty"`         // simulated
}

// Limits of the simulation: it ends in a fraction of a second.
const (
	forecastRuns  = 200
	forecastSteps = 20000
	forecastSeed  = 1
)

// NewForecast computes the forecast for losses of the mean, of a reference of at least
// [MinReference] samples and with the pair of detectors that is the default.
func NewForecast(ref Reference, arl float64, drops []float64) (Forecast, error) {
	o, err := Options{Reference: ref, ARL: arl}.withDefaults()
	if err != nil {
		return Forecast{}, err
	}
	common := ref
	if a := ref.align(); a != nil {
		o.stays, common = true, a.ref
	}
	wanted := o.share()
	if o.stays {
		wanted *= stayMargin
	}
	c, err := Calibrate(common, o.Delta, wanted)
	if err != nil {
		return Forecast{}, err
	}
	detector, _, err := makeESR(o, common)
	if err != nil {
		return Forecast{}, err
	}
	esr := detector.(*ESR)
	f := Forecast{
		Samples: ref.N, Weak: ref.Weak(), Mean: ref.Mean(), StdErr: ref.StdErr(), Wander: ref.Wander(),
		Inflation: ref.Inflation(), Block: ref.BlockLength(), Contexts: len(ref.Contexts), ARL: o.ARL,
		Delta: c.Delta, Lambda: float64(c.H) / LatticeSize, RunLength: min(c.RunLength, math.MaxFloat64),
		Mu0: esr.opts.Mu0, LogE: esr.Threshold(), Promise: esr.opts.ARL,
	}
	for _, drop := range drops {
		w := lowered(common, drop)
		d := Delay{Drop: drop}
		exact, err := RunLength(w, c.K, c.H)
		if err != nil {
			return Forecast{}, err
		}
		if exact <= forecastSteps {
			d.PageHinkley = exact
		}
		d.ESR, d.Pair = simulate(w, c, esr)
		f.Delays = append(f.Delays, d)
	}
	return f, nil
}

// lowered is the reference's distribution moved down by drop; what would fall below
// zero stays there. Between two lattice steps a sample falls on either.
func lowered(ref Reference, drop float64) []float64 {
	w := make([]float64, LatticeSize)
	whole := math.Floor(drop * LatticeSize)
	rest := drop*LatticeSize - whole
	for q, c := range ref.Counts {
		high := min(max(q-int(whole), 0), LatticeSize-1)
		w[high] += (1 - rest) * float64(c)
		w[min(max(high-1, 0), LatticeSize-1)] += rest * float64(c)
	}
	return w
}

// simulate returns the mean delays of the e-detector alone and with Page-Hinkley; 0
// where too many runs do not end.
func simulate(weights []float64, c Calibration, esr *ESR) (alone, pair float64) {
	cdf := make([]float64, len(weights))
	sum := 0.0
	for q, w := range weights {
		sum += w
		cdf[q] = sum
	}
	rng := rand.New(rand.NewPCG(forecastSeed, 0))
	missed := 0
	d := *esr
	for range forecastRuns {
		d.Reset()
		s, first, t := 0, 0, 0
		for done := false; !done && t < forecastSteps; {
			u, q := rng.Float64()*sum, 0
			for cdf[q] < u {
				q++
			}
			t++
			s = max(0, s+c.K-q)
			done = d.Update(float64(q)/LatticeSize) == Drift
			if first == 0 && (done || s >= c.H) {
				first = t
			}
			missed += btoi(t == forecastSteps && !done)
		}
		if first == 0 {
			first = forecastSteps
		}
		alone += float64(t) / forecastRuns
		pair += float64(first) / forecastRuns
		if missed > forecastRuns/20 {
			return 0, 0
		}
	}
	return alone, pair
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
