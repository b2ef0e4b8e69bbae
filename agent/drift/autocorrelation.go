package drift

import "math"

// MaxLags is the longest lag that a reference keeps.
const MaxLags = 64

// blockCorrelation is the correlation above which samples, and then the means of
// neighbouring blocks, are treated as dependent.
const blockCorrelation = 0.1

// MaxBlock bounds the block length: beyond it the signal is not stationary at any
// scale on which an alarm would still be useful.
const MaxBlock = 4096

// autocorrelations estimates lags 1..k, k at most MaxLags and an eighth of the
// samples (longer lags rest on too few pairs). A constant signal has none.
func autocorrelations[T uint8 | float64](steps []T) []float64 {
	n := len(steps)
	k := min(MaxLags, n/8)
	if k == 0 {
		return nil
	}
	mean := 0.0
	for _, q := range steps {
		mean += float64(q)
	}
	mean /= float64(n)
	variance := 0.0
	for _, q := range steps {
		variance += (float64(q) - mean) * (float64(q) - mean)
	}
	if variance == 0 {
		return nil
	}
	lags := make([]float64, k)
	for lag := range lags {
		sum := 0.0
		for i := lag + 1; i < n; i++ {
			sum += (float64(steps[i]) - mean) * (float64(steps[i-lag-1]) - mean)
		}
		// Four decimals are more than the estimate is worth and keep JSON short.
		lags[lag] = math.Round(sum/variance*1e4) / 1e4
	}
	return lags
}

// rho is the autocorrelation at a lag as the block length and the inflation see it:
// the estimates while they stand out of the noise of n samples, and a geometric
// tail with the ratio of lag 1 from there on, because cutting the tail off would
// make correlated samples look more informative than they are. Samples whose
// lag-1 correlation is at most blockCorrelation count as independent.
type rho struct {
	lags  []float64 // the part that stands out
	ratio float64
}

// maxRatio keeps the tail's sum finite: above it no block would be long enough.
const maxRatio = 0.999

func (r Reference) rho() rho {
	if len(r.Lags) == 0 || r.Lags[0] <= blockCorrelation {
		return rho{}
	}
	noise := 2 / math.Sqrt(float64(r.N))
	m := 1
	for m < len(r.Lags) && r.Lags[m] > noise {
		m++
	}
	estimated := rho{lags: r.Lags[:m], ratio: min(r.Lags[0], maxRatio)}
	// Deviations are taken from the samples' own mean, which has followed them: the
	// variance and the covariances come out too small by the variance of that mean, a
	// share of inflation/n. Correcting raises the inflation, so it is done again.
	corrected := estimated
	for range biasRounds {
		share := min(corrected.inflation()/float64(r.N), maxBias)
		corrected = estimated.raised(share)
	}
	return corrected
}

const (
	biasRounds = 4
	maxBias    = 0.5
)

// raised returns the correlations about the true mean if the variance of the samples'
// mean is the given share of the variance of a sample.
func (c rho) raised(share float64) rho {
	lags := make([]float64, len(c.lags))
	for i, v := range c.lags {
		lags[i] = share + (1-share)*v
	}
	return rho{lags: lags, ratio: min(lags[0], maxRatio)}
}

func (c rho) inflation() float64 {
	if len(c.lags) == 0 {
		return 1
	}
	sum := 0.0
	for _, v := range c.lags {
		sum += v
	}
	sum += c.lags[len(c.lags)-1] * c.ratio / (1 - c.ratio)
	return 1 + 2*sum
}

// Inflation is the factor 1 + 2*sum(rho) by which correlation multiplies the
// variance of a mean; 1 for independent samples.
//
// It is an estimate itself, from n/inflation effective samples; where these are few,
// it is raised: by a fifth for ten of them, twofold for four or five.
func (r Reference) Inflation() float64 {
	f := r.rho().inflation()
	if f <= 1 {
		return 1
	}
	share := f / float64(r.N)
	return f * (1 + float64(fewEffective*share)*share)
}

// fewEffective is by how much few effective samples raise the inflation.
const fewEffective = 20

// BlockLength is the smallest number of samples, at most [MaxBlock], such that the
// means of neighbouring blocks correlate by at most 0.1; 1 for independent samples.
//
// With V(b) the variance of the sum of b samples, the covariance of two
// neighbouring sums is (V(2b) - 2V(b))/2.
func (r Reference) BlockLength() int {
	c := r.rho()
	if len(c.lags) == 0 {
		return 1
	}
	one, two := newBlockVariance(c), newBlockVariance(c)
	for b := 1; b < MaxBlock; b++ {
		v := one.next()
		two.next()
		if (two.next()-2*v)/2 <= blockCorrelation*v {
			return b
		}
	}
	return MaxBlock
}

// blockVariance walks V(1), V(2), ... in units of the variance of one sample.
type blockVariance struct {
	rho  rho
	v    float64
	b    int
	sum  float64 // rho(1) + ... + rho(b-1)
	last float64 // rho(b-1)
}

func newBlockVariance(c rho) *blockVariance { return &blockVariance{rho: c} }

// next uses V(b) = V(b-1) + 1 + 2(rho(1) + ... + rho(b-1)).
func (w *blockVariance) next() float64 {
	if w.b > 0 {
		if w.b <= len(w.rho.lags) {
			w.last = w.rho.lags[w.b-1]
		} else {
			w.last *= w.rho.ratio
		}
		w.sum += w.last
	}
	w.b++
	w.v += 1 + 2*w.sum
	return w.v
}
