package report

import "kedge/quant/calib"

// bars is how many bins of a report's histogram there are.
const bars = 64

// spread says where most values lie.
type spread struct {
	low, high float64 // all but one of 1000 values, half of the rest on either side
	known     bool
}

// distribution takes in what was seen of the float network's result.
func (l *Layer) distribution(s *calib.Tensor) {
	l.Min, l.Max = s.Min, s.Max
	l.HistMin, l.HistMax = min(float64(s.Min), 0), max(float64(s.Max), 0)
	if l.HistMax <= l.HistMin {
		l.Histogram = []uint64{}
		return
	}
	width := (l.HistMax - l.HistMin) / calib.Bins
	bins := append([]uint64{}, s.Histogram...)
	bins[min(int(-l.HistMin/width), calib.Bins-1)] += s.Zeros
	l.Histogram = make([]uint64, bars)
	total := 0.0
	for b, n := range bins {
		l.Histogram[b*bars/calib.Bins] += n
		total += float64(n)
	}
	at := func(b int) float64 { return l.HistMin + width*float64(b) }
	const rest = 0.0005
	l.outliers.known = total > 0
	sum := 0.0
	for b, n := range bins {
		if before := sum; before <= rest*total {
			l.outliers.low = at(b)
		}
		if sum += float64(n); sum < (1-rest)*total {
			l.outliers.high = at(b + 2)
		}
	}
	l.outliers.high = max(min(l.outliers.high, l.HistMax), at(1))
	if l.QuantMin != nil && total > 0 {
		l.clip(bins, at, total)
	}
}

// clip counts what lies outside of the integer's range by more than half a step,
// which rounding would bring back.
func (l *Layer) clip(bins []uint64, at func(int) float64, total float64) {
	half := float64(*l.Scale) / 2
	outside := 0.0
	for b, n := range bins {
		if middle := (at(b) + at(b+1)) / 2; middle < *l.QuantMin-half || middle > *l.QuantMax+half {
			outside += float64(n)
		}
	}
	l.Clipped = finite(outside / total)
}
