package inputs

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Type says how the values of a feature fall into bins.
type Type string

// The types of features.
const (
	// Float: bins of equal frequency in the reference, see [Feature].
	Float Type = "float"
	// Int8: an input byte of an int8 model; bin = value + 128.
	Int8 Type = "int8"
	// Uint8: bin = value.
	Uint8 Type = "uint8"
)

// maxEdges is what the bins between the outer two leave.
const maxEdges = Bins - 3

// Feature is a feature as it was in the reference.
//
// A Float's bins are: 0 below Lo; 1 + the number of Edges that are at most x; 255
// above Hi. Edges of equal frequency, not of equal width, because sensors have
// outliers: over the range of a price, equal widths put all days but a few into one
// bin. A feature of at most 254 distinct values has a bin for each.
type Feature struct {
	Name string `json:"name,omitempty"`
	Type Type   `json:"type"`
	// Lo and Hi are the least and the greatest value.
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
	// Edges increase strictly, lie in (Lo, Hi], and belong to the bin above.
	Edges []float64 `json:"edges,omitempty"`
	// Counts holds the values and the missing ones; together they are the rows.
	Counts Histogram `json:"counts"`
	// Run is the longest run of one value, missing ones passed over; Runs counts the
	// runs of two and more, and Repeats the values that equal the one before.
	Run     int64 `json:"run"`
	Runs    int64 `json:"runs"`
	Repeats int64 `json:"repeats"`
	// Lags are the autocorrelations of the bins at lags 1, 2, ...
	Lags []float64 `json:"lags,omitempty"`
	// Spread says how blocks of the reference differ, by length.
	Spread []Spread `json:"spread,omitempty"`
}

// Constant reports whether the feature had one value throughout.
func (f *Feature) Constant() bool { return f.Lo == f.Hi }

// bin is that of a finite value.
func (f *Feature) bin(x float64) uint8 {
	switch f.Type {
	case Int8:
		return clampBin(x + 128)
	case Uint8:
		return clampBin(x)
	}
	if x < f.Lo {
		return 0
	}
	if x > f.Hi {
		return Bins - 1
	}
	lo, hi := 0, len(f.Edges)
	for lo < hi {
		if mid := (lo + hi) / 2; f.Edges[mid] <= x {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return uint8(1 + lo)
}

// clampBin rounds to the nearest bin, halves up.
func clampBin(x float64) uint8 { return uint8(min(max(math.Floor(x+0.5), 0), Bins-1)) }

// value is the least value that falls into a bin; Lo and Hi for the outer ones.
func (f *Feature) value(bin int) float64 {
	switch {
	case f.Type == Int8:
		return float64(bin - 128)
	case f.Type == Uint8:
		return float64(bin)
	case bin <= 1:
		return f.Lo
	case bin-2 < len(f.Edges):
		return f.Edges[bin-2]
	}
	return f.Hi
}

// rangeBins are the bins of the least and the greatest value.
func (f *Feature) rangeBins() (lo, hi int) {
	if f.Counts.N() == 0 {
		return 0, Bins - 1
	}
	return int(f.bin(f.Lo)), int(f.bin(f.Hi))
}

// setBins derives a float's range and edges from its values, which it sorts.
func (f *Feature) setBins(values []float64) {
	sort.Float64s(values)
	if len(values) == 0 {
		return
	}
	f.Lo, f.Hi = values[0], values[len(values)-1]
	if f.Type != Float {
		return
	}
	f.Edges = nil
	for _, v := range values[1:] {
		if last := f.lastEdge(); v != last {
			f.Edges = append(f.Edges, v)
		}
		if len(f.Edges) > maxEdges {
			break
		}
	}
	if len(f.Edges) <= maxEdges {
		return
	}
	f.Edges = make([]float64, 0, maxEdges)
	for k := 1; k <= maxEdges; k++ {
		if v := values[int(int64(k)*int64(len(values))/(maxEdges+1))]; v != f.lastEdge() {
			f.Edges = append(f.Edges, v)
		}
	}
}

func (f *Feature) lastEdge() float64 {
	if n := len(f.Edges); n > 0 {
		return f.Edges[n-1]
	}
	return f.Lo
}

// validate checks a feature of a reference of n rows.
func (f *Feature) validate(n int64) error {
	if f.Type != Float && f.Type != Int8 && f.Type != Uint8 {
		return fmt.Errorf("type %q", f.Type)
	}
	if !finite(f.Lo) || !finite(f.Hi) || f.Lo > f.Hi {
		return fmt.Errorf("range [%v, %v]", f.Lo, f.Hi)
	}
	if len(f.Edges) > maxEdges || f.Type != Float && len(f.Edges) > 0 {
		return fmt.Errorf("%d edges", len(f.Edges))
	}
	last := f.Lo
	for _, e := range f.Edges {
		if !(e > last && e <= f.Hi) {
			return fmt.Errorf("edge %v after %v, up to %v", e, last, f.Hi)
		}
		last = e
	}
	values := f.Counts.N()
	if got := values + int64(f.Counts.Missing); got != n {
		return fmt.Errorf("%d values, %d rows", got, n)
	}
	if lo, hi := f.rangeBins(); slices.ContainsFunc(f.Counts.Counts[:lo], nonzero) || slices.ContainsFunc(f.Counts.Counts[hi+1:], nonzero) {
		return fmt.Errorf("values outside of the range [%v, %v]", f.Lo, f.Hi)
	}
	if f.Run < 0 || f.Run > values || f.Runs < 0 || f.Runs > f.Repeats || f.Repeats > values {
		return fmt.Errorf("run of %d, %d runs, %d repeats among %d values", f.Run, f.Runs, f.Repeats, values)
	}
	return nil
}

func nonzero(c uint32) bool { return c != 0 }
