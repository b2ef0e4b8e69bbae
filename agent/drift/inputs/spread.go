package inputs

import (
	"fmt"

	"kedge/agent/drift"
)

// Block lengths, in rows.
const (
	longestBlock  = 64 // after which the tests run; its counts fit 8 bits
	shortestBlock = 16
	longestWindow = 1 << 14 // its counts fit 16 bits
	minBlocks     = 3       // of a length, from which anything is concluded
)

// Spread says how much blocks of the reference differ from the whole, in units of
// what independent rows would show; 1 is independence. A daily rhythm, a season or
// plain inertia make it large, and the thresholds with it: what the reference did
// within itself is not drift.
type Spread struct {
	// Rows is the length of the blocks.
	Rows int `json:"rows"`
	// KS is the mean over the blocks of 4n(F_block-F)^2 at the value where it is
	// greatest; n(F_block-F)^2 is at most 1/4 for independent rows.
	KS float64 `json:"ks"`
	// PSI is the mean of n*PSI over its degrees of freedom; 0 if there are none.
	PSI float64 `json:"psi"`
	// Missing is the variance of the number of missing values over the binomial one.
	Missing float64 `json:"missing,omitempty"`
}

// blockLengths lists the lengths at which a reference of n rows is compared with
// itself, and the present with the reference: doubling, from the block upwards.
func blockLengths(n int64) []int {
	b := longestBlock
	for b > shortestBlock && n/int64(b) < 16 {
		b /= 2
	}
	lengths := []int{b}
	for b *= 2; b <= longestWindow && n/int64(b) >= minBlocks; b *= 2 {
		lengths = append(lengths, b)
	}
	return lengths
}

func validateSpread(all []Spread, lengths []int) error {
	if len(all) != 0 && len(all) != len(lengths) {
		return fmt.Errorf("%d block lengths, want %d", len(all), len(lengths))
	}
	for i, s := range all {
		if s.Rows != lengths[i] || !plausible(s.KS) || !plausible(s.PSI) || !plausible(s.Missing) {
			return fmt.Errorf("spread %+v, want %d rows", s, lengths[i])
		}
	}
	return nil
}

// plausible bounds what a reference may say, so that everything derived from it is
// finite; nothing measured comes near.
func plausible(spread float64) bool { return spread >= 0 && spread <= 1e12 }

// missingBin stands for a missing value in a column of bins.
const missingBin = -1

// spreads compares the blocks of a column of bins with the whole.
func spreads(f *Feature, column []int16) []Spread {
	lengths := blockLengths(int64(len(column)))
	if len(column) < minBlocks*lengths[0] || f.Counts.N() == 0 {
		return nil
	}
	var all []Spread
	g := newGroups(&f.Counts)
	for _, rows := range lengths {
		all = append(all, spreadOf(f, &g, column, rows))
	}
	return all
}

func spreadOf(f *Feature, g *groups, column []int16, rows int) Spread {
	var square [Bins]float64
	psi, missing, used := 0.0, 0.0, 0.0
	rate := float64(f.Counts.Missing) / float64(len(column))
	blocks := len(column) / rows
	for k := range blocks {
		var h [Bins]uint16
		n := 0
		for _, bin := range column[k*rows : (k+1)*rows] {
			if bin != missingBin {
				h[bin]++
				n++
			}
		}
		d := float64(rows-n) - rate*float64(rows)
		missing += d * d
		if n < rows/4 || n == 0 {
			continue
		}
		used++
		psi += g.psi(&h, n) * float64(n)
		total, below, whole := float64(f.Counts.N()), 0.0, 0.0
		for i, c := range h {
			below += float64(c)
			whole += float64(f.Counts.Counts[i])
			e := below/float64(n) - whole/total
			square[i] += 4 * float64(n) * e * e
		}
	}
	s := Spread{Rows: rows}
	if used > 1 {
		// A block is part of the whole, which takes its share out of the difference.
		share := used * (1 - 1/used)
		for _, v := range square {
			s.KS = max(s.KS, round4(v/share))
		}
		if g.n > 1 {
			s.PSI = round4(psi / share / float64(g.n-1))
		}
	}
	if rate > 0 && rate < 1 {
		s.Missing = round4(missing / float64(blocks) / (float64(rows) * rate * (1 - rate)))
	}
	return s
}

// inflation is the factor by which dependence multiplies the variance in windows of
// one length.
type inflation struct {
	ks, psi, missing float64
	point            float64 // that of ks without its upper confidence limit
}

// Normal quantiles: of the evidence against short memory, and of the confidence in a
// variance that a few blocks were all to tell of.
const (
	evidence   = 2.326
	confidence = 1.645
	// margin covers what the autocorrelations' estimate may be off.
	margin = 1.25
)

// inflations derives the factors for every length. The autocorrelations foretell one
// factor for all lengths beyond their own. As long as the blocks do not contradict
// that, it stands; where they do (a rhythm, a season, a trend), the blocks' own
// variance is taken, at its upper confidence limit for as many as are independent.
func (f *Feature) inflations(n int64) []inflation {
	lengths := blockLengths(n)
	memory := 1.0
	if !f.Constant() {
		memory = f.correlation().Inflation()
	}
	all := make([]inflation, len(lengths))
	for i, rows := range lengths {
		foretold := min(memory, float64(rows))
		if foretold > 1 {
			foretold *= margin
		}
		in := inflation{ks: foretold, psi: foretold, missing: 1, point: foretold}
		if len(f.Spread) > 0 {
			s := f.Spread[i]
			blocks := float64(n / int64(rows))
			independent := min(blocks, float64(n)/memory)
			limit := func(seen, expected float64) float64 {
				if seen <= expected*chiSquareQuantile(blocks-1, evidence) {
					return expected
				}
				return max(expected, seen/chiSquareQuantile(independent-1, -confidence))
			}
			in.ks = limit(s.KS, foretold)
			if in.ks > foretold {
				in.point = max(foretold, s.KS)
			}
			in.psi = limit(s.PSI, foretold)
			in.missing = limit(s.Missing, 1)
		}
		all[i] = in
	}
	return all
}

// lagsOf are the autocorrelations of a column of bins, missing ones left out.
func lagsOf(column []int16) []float64 {
	xs := make([]float64, 0, len(column))
	for _, bin := range column {
		if bin != missingBin {
			xs = append(xs, float64(bin)/drift.LatticeSize)
		}
	}
	ref, err := drift.NewReference(xs)
	if err != nil {
		panic("BUG: " + err.Error()) // bins are finite
	}
	return ref.Lags
}
