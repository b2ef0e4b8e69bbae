package data

import (
	"errors"
	"fmt"
	"math"

	"kedge/runtime/feature"
)

// ErrSamples: the samples cannot be standardized.
var ErrSamples = errors.New("data: bad samples")

// flatShare decides when a feature counts as constant: its standard deviation
// is at most this share of the size of its values.
const flatShare = 1e-6

// Standardize declares features so that each has mean 0 and standard deviation
// 1 over the rows of x (len(names) values each, at least one row) after
// transform (feature.None or feature.SignedLog1p). The declaration travels with
// the model; feature.Compile and Apply carry it out, here and on the device.
//
// A feature that never changes gets scale 1: dividing by its rounding noise
// would turn the first real change into an enormous input.
// Errors match ErrSamples or are package feature's.
func Standardize(names []string, x []float64, transform string) (feature.Set, error) {
	n := len(names)
	if n == 0 || len(x) == 0 || len(x)%n != 0 {
		return nil, fmt.Errorf("%w: %d values for rows of %d features", ErrSamples, len(x), n)
	}
	set := make(feature.Set, n)
	for j, name := range names {
		set[j] = feature.Column{Name: name, Transform: transform, Scale: 1}
	}
	moments, err := measure(set, x)
	if err != nil {
		return nil, err
	}
	for j := range set {
		std := math.Sqrt(moments[j].variance())
		set[j].Mean = moments[j].mean
		if std > flatShare*max(math.Abs(moments[j].mean), 1) {
			set[j].Scale = std
		}
	}
	return set, nil
}

// measure takes mean and variance of every transformed feature. The transform
// is done by package feature itself, so that the figures fit what devices
// compute, float32 rounding included.
func measure(set feature.Set, x []float64) ([]moments, error) {
	t, err := feature.Compile(set)
	if err != nil {
		return nil, err
	}
	n := len(set)
	all, row := make([]moments, n), make([]float32, n)
	for lo := 0; lo < len(x); lo += n {
		if err := t.Apply(row, x[lo:lo+n]); err != nil {
			return nil, fmt.Errorf("%w: row %d: %w", ErrSamples, lo/n, err)
		}
		for j, v := range row {
			all[j].add(float64(v))
		}
	}
	return all, nil
}

// moments keeps mean and sum of squared deviations (Welford 1962), which loses
// no digits where the mean is large beside the deviation.
type moments struct {
	n, mean, squares float64
}

func (m *moments) add(v float64) {
	m.n++
	d := v - m.mean
	m.mean += d / m.n
	m.squares += d * (v - m.mean)
}

func (m *moments) variance() float64 { return m.squares / m.n }
