package calib

import (
	"fmt"
	"strconv"
	"strings"
)

// Method is a way to choose an activation's range. Make one with MinMax and its
// siblings or read one with ParseMethod; the zero value is MinMax. Methods can be
// compared with ==.
type Method struct {
	kind      kind
	parameter float64
}

type kind uint8

const (
	minMax kind = iota
	percentile
	mse
	entropy
	movingAverage
)

// DefaultPercentile and DefaultDecay are what ParseMethod takes where no number is
// given.
const (
	DefaultPercentile = 99.99
	DefaultDecay      = 0.9
)

// MinMax covers every value that was seen, which is what TFLite's converter does
// in post-training quantization.
func MinMax() Method { return Method{kind: minMax} }

// Percentile leaves out the outermost values: of 100, p (above 50, at most 100)
// lie below the upper end, and as many above the lower one. Values that are
// exactly zero count too.
func Percentile(p float64) Method { return Method{percentile, p} }

// MSE takes the range with the least mean squared error of int8 values.
func MSE() Method { return Method{kind: mse} }

// Entropy takes the range in which the distribution of int8 values is nearest to
// that of the real ones: the least Kullback-Leibler divergence, as in NVIDIA's
// "8-bit Inference with TensorRT" (Migacz, 2017).
func Entropy() Method { return Method{kind: entropy} }

// MovingAverage averages the samples' extremes in their order, the older with
// weight decay (from 0 to below 1), as fake quantization does during training.
func MovingAverage(decay float64) Method { return Method{movingAverage, decay} }

var methodNames = [...]string{minMax: "minmax", percentile: "percentile", mse: "mse", entropy: "entropy", movingAverage: "moving-average"}

// String is the form that ParseMethod reads.
func (m Method) String() string {
	if m.kind == percentile || m.kind == movingAverage {
		return methodNames[m.kind] + ":" + strconv.FormatFloat(m.parameter, 'g', -1, 64)
	}
	return methodNames[m.kind]
}

// ParseMethod reads minmax, percentile[:P], mse, entropy or moving-average[:DECAY].
// Errors match ErrMethod.
func ParseMethod(s string) (Method, error) {
	name, number, given := strings.Cut(s, ":")
	m := Method{}
	switch name {
	case "minmax":
		m = MinMax()
	case "percentile":
		m = Percentile(DefaultPercentile)
	case "mse":
		m = MSE()
	case "entropy":
		m = Entropy()
	case "moving-average":
		m = MovingAverage(DefaultDecay)
	default:
		return m, fmt.Errorf("%w: %q, want minmax, percentile[:P], mse, entropy or moving-average[:DECAY]", ErrMethod, s)
	}
	if given {
		p, err := strconv.ParseFloat(number, 64)
		if err != nil || m.kind != percentile && m.kind != movingAverage {
			return m, fmt.Errorf("%w: %q, want minmax, percentile[:P], mse, entropy or moving-average[:DECAY]", ErrMethod, s)
		}
		m.parameter = p
	}
	return m, m.check()
}

func (m Method) check() error {
	switch {
	case m.kind == percentile && !(m.parameter > 50 && m.parameter <= 100):
		return fmt.Errorf("%w: percentile %v, want above 50, at most 100", ErrMethod, m.parameter)
	case m.kind == movingAverage && !(m.parameter >= 0 && m.parameter < 1):
		return fmt.Errorf("%w: decay %v, want from 0 to below 1", ErrMethod, m.parameter)
	}
	return nil
}

func (m Method) rangeOf(t *Tensor) Range {
	switch m.kind {
	case percentile:
		return t.percentile(m.parameter / 100)
	case mse:
		return t.leastError()
	case entropy:
		return t.leastDivergence()
	case movingAverage:
		return t.movingAverage(float32(m.parameter))
	}
	return Range{t.Min, t.Max}
}

func (t *Tensor) movingAverage(decay float32) Range {
	r := Range{t.SampleMin[0], t.SampleMax[0]}
	for i := 1; i < len(t.SampleMin); i++ {
		r.Min = float32(decay*r.Min) + float32((1-decay)*t.SampleMin[i])
		r.Max = float32(decay*r.Max) + float32((1-decay)*t.SampleMax[i])
	}
	return r
}

// percentile cuts the share 1−p off each end. Within a bin values are taken to lie
// evenly.
func (t *Tensor) percentile(p float64) Range {
	total := float64(t.Zeros)
	for _, n := range t.Histogram {
		total += float64(n)
	}
	cut := (1 - p) * total
	return Range{float32(t.quantile(cut)), float32(t.quantile(total - cut))}
}

// quantile is the value that n of all values lie below.
func (t *Tensor) quantile(n float64) float64 {
	base, width := t.base(), t.width()
	below, zero := 0.0, t.zeroBin()
	for b, count := range t.Histogram {
		here := float64(count)
		if b == zero {
			here += float64(t.Zeros)
		}
		if below+here >= n && here > 0 {
			at := base + width*(float64(b)+(n-below)/here)
			return min(max(at, float64(t.Min)), float64(t.Max))
		}
		below += here
	}
	return float64(t.Max)
}

// zeroBin is the bin that zero lies in.
func (t *Tensor) zeroBin() int {
	if t.width() == 0 {
		return 0
	}
	return min(int(-t.base()/t.width()), Bins-1)
}
