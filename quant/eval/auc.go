package eval

import (
	"cmp"
	"math"
	"slices"
)

// auc is the area under the receiver operating characteristic, by ranks: the
// share of pairs in which the positive sample scores higher, ties counting half
// (Mann and Whitney's U over its greatest value). The standard error is Hanley
// and McNeil's (Radiology 143, 1982). NaN when one side is empty.
func auc(negative, positive []float64) (area, standardError float64) {
	type sample struct {
		score    float64
		positive bool
	}
	all := make([]sample, 0, len(negative)+len(positive))
	for _, v := range negative {
		all = append(all, sample{v, false})
	}
	for _, v := range positive {
		all = append(all, sample{v, true})
	}
	n, p := float64(len(negative)), float64(len(positive))
	if n == 0 || p == 0 {
		return math.NaN(), math.NaN()
	}
	slices.SortFunc(all, func(a, b sample) int { return cmp.Compare(a.score, b.score) })
	wins, below := 0.0, 0.0 // below: negatives with a lower score
	for lo := 0; lo < len(all); {
		hi, up := lo, 0.0
		for ; hi < len(all) && all[hi].score == all[lo].score; hi++ {
			if all[hi].positive {
				up++
			}
		}
		down := float64(hi-lo) - up
		wins += up * (below + down/2)
		below += down
		lo = hi
	}
	a := wins / (n * p)
	q1, q2 := a/(2-a), 2*a*a/(1+a)
	variance := (a*(1-a) + (p-1)*(q1-a*a) + (n-1)*(q2-a*a)) / (n * p)
	return a, math.Sqrt(max(variance, 0))
}
