package inputs

import "math"

// psiGroups is how many groups of bins the population stability index compares: more
// would need larger windows to fill them.
const psiGroups = 10

// groups are neighboring bins taken together so that each holds about as much of the
// reference as any other.
type groups struct {
	of   [Bins]uint8
	n    int
	rate [psiGroups]float64 // of the reference, smoothed
	size float64            // of the reference
}

func newGroups(h *Histogram) groups {
	g := groups{size: float64(h.N())}
	var counts [psiGroups]float64
	taken, group := 0.0, 0
	for i, c := range h.Counts {
		// Before a bin that would begin in the next tenth.
		if c > 0 && counts[group] > 0 && group < psiGroups-1 && taken+float64(c)/2 > g.size*float64(group+1)/psiGroups {
			group++
		}
		g.of[i] = uint8(group)
		counts[group] += float64(c)
		taken += float64(c)
	}
	g.n = group + 1
	for i := range g.n {
		g.rate[i] = smooth(counts[i], g.size, g.n)
	}
	return g
}

// smooth is a rate that is never 0, for the logarithm's sake: half a value is added
// to every group.
func smooth(count, n float64, groups int) float64 {
	return (count + 0.5) / (n + 0.5*float64(groups))
}

// psi is the population stability index sum (p-q)ln(p/q) of n counted values against
// the reference. For independent rows n*PSI is about chi-square with groups-1
// degrees of freedom (Yurdakul & Naranjo, "Statistical properties of the population
// stability index", 2020), if the reference were exact.
func (g *groups) psi(counts *[Bins]uint16, n int) float64 {
	var sums [psiGroups]float64
	for i, c := range counts {
		sums[g.of[i]] += float64(c)
	}
	sum := 0.0
	for i := range g.n {
		p, q := smooth(sums[i], float64(n), g.n), g.rate[i]
		sum += (p - q) * math.Log(p/q)
	}
	return sum
}

func round4(x float64) float64 { return math.Round(x*1e4) / 1e4 }
