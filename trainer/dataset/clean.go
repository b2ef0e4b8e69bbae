package dataset

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// A Report counts what cleaning did.
type Report struct {
	Rows        int // kept
	Duplicates  int // exact repetitions, dropped
	Conflicts   int // equal inputs under different classes, set aside
	Quarantined int // outliers, set aside
	Malformed   int // not of the expected form, dropped
}

// OutlierScore is the robust score beyond which a value is an outlier. It is
// wide: a Gaussian value never comes near it, and heavy-tailed sensors stay
// inside, so that what exceeds it is a broken cable or a stuck converter.
const OutlierScore = 50

// Clean returns the rows that are fit for training and sets the others aside.
// Of equal rows the first stays. Equal inputs of different classes teach nothing
// and are set aside, all of them.
func (t *Table) Clean() (kept, aside *Table, r Report) {
	keep, duplicates, conflicts := distinct(t.Len(), t.Row, func(i int) int { return t.Y[i] })
	r.Duplicates, r.Conflicts = duplicates, len(conflicts)
	inside := make([]int, 0, len(keep))
	outside := conflicts
	odd := outliers(t, keep)
	for _, i := range keep {
		if odd[i] {
			r.Quarantined++
			outside = append(outside, i)
		} else {
			inside = append(inside, i)
		}
	}
	r.Rows = len(inside)
	slices.Sort(outside)
	return t.Select(inside), t.Select(outside), r
}

// distinct returns the rows that are the first of their kind, how many were
// repetitions, and the rows whose input stands under several classes.
func distinct(n int, row func(int) []float32, class func(int) int) (keep []int, duplicates int, conflicts []int) {
	groups := make(map[string][]int, n)
	for i := range n {
		k := key(row(i))
		groups[k] = append(groups[k], i)
	}
	for i := range n {
		group := groups[key(row(i))]
		agree := !slices.ContainsFunc(group, func(j int) bool { return class(j) != class(i) })
		switch {
		case !agree:
			conflicts = append(conflicts, i)
		case group[0] == i:
			keep = append(keep, i)
		default:
			duplicates++
		}
	}
	return keep, duplicates, conflicts
}

func key(x []float32) string {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return string(b)
}

// outliers marks rows with a value that is more than OutlierScore robust
// deviations (1.4826 times the median absolute deviation) from the median of
// its feature, after the feature's transform. A feature that hardly varies has
// no deviation to speak of and marks nothing.
func outliers(t *Table, index []int) map[int]bool {
	odd := make(map[int]bool)
	if len(index) < minForOutliers {
		return odd
	}
	values := make([]float64, len(index))
	deviations := make([]float64, len(index))
	for c, column := range t.Columns {
		for k, i := range index {
			values[k] = transformed(column.Transform, float64(t.Row(i)[c]))
		}
		center := median(values)
		for k, v := range values {
			deviations[k] = math.Abs(v - center)
		}
		limit := OutlierScore * 1.4826 * median(deviations)
		if limit == 0 {
			continue
		}
		for k, i := range index {
			if deviations[k] > limit {
				odd[i] = true
			}
		}
	}
	return odd
}

// minForOutliers is the number of rows below which a median says little.
const minForOutliers = 30

func transformed(transform string, v float64) float64 {
	if transform == TransformSignedLog1p {
		return math.Copysign(math.Log1p(math.Abs(v)), v)
	}
	return v
}

// median returns the middle of values, which are left as they are.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

// String is the report in words.
func (r Report) String() string {
	return fmt.Sprintf("%d rows, %d repetitions dropped, %d contradictions and %d outliers set aside, %d malformed",
		r.Rows, r.Duplicates, r.Conflicts, r.Quarantined, r.Malformed)
}
