package calib

import "math"

// levels is the number of steps of an int8 activation.
const levels = 255

// clipSteps is how finely ranges are tried out: each end in steps of 1/64 of its
// extreme.
const clipSteps = 64

// leastError searches the range whose expected squared error on the int8 grid is
// least. Of values inside, each has that of a uniform error, scale²/12 (Widrow's
// model, good while a step holds several bins), an exact zero none; of those
// outside, each has its distance from the end. Ends are tried in turn until
// neither moves, which finds the least of a function that falls and then rises
// along each.
func (t *Tensor) leastError() Range {
	lo, hi := min(float64(t.Min), 0), max(float64(t.Max), 0)
	if lo == hi {
		return Range{}
	}
	m := t.moments()
	bestLo, bestHi := clipSteps, clipSteps
	best := m.error(lo, hi)
	for moved := true; moved; {
		moved = false
		for i := 1; i <= clipSteps; i++ {
			if e := m.error(lo*float64(bestLo)/clipSteps, hi*float64(i)/clipSteps); hi > 0 && e < best {
				best, bestHi, moved = e, i, true
			}
		}
		for i := 1; i <= clipSteps; i++ {
			if e := m.error(lo*float64(i)/clipSteps, hi*float64(bestHi)/clipSteps); lo < 0 && e < best {
				best, bestLo, moved = e, i, true
			}
		}
	}
	return Range{float32(lo * float64(bestLo) / clipSteps), float32(hi * float64(bestHi) / clipSteps)}
}

// moments are running sums over the bins' centers, so that the error of a range
// takes a few operations.
type moments struct {
	base, width float64
	n, x, xx    [Bins + 1]float64 // over the bins before
}

func (t *Tensor) moments() *moments {
	m := &moments{base: t.base(), width: t.width()}
	for b, count := range t.Histogram {
		n, x := float64(count), m.base+m.width*(float64(b)+0.5)
		m.n[b+1], m.x[b+1], m.xx[b+1] = m.n[b]+n, m.x[b]+n*x, m.xx[b]+n*x*x
	}
	return m
}

// error is the sum of squared errors of the range [lo, hi].
func (m *moments) error(lo, hi float64) float64 {
	scale := (hi - lo) / levels
	a, b := m.bin(lo), m.bin(hi)
	below := m.xx[a] - 2*lo*m.x[a] + lo*lo*m.n[a]
	n, x, xx := m.n[Bins]-m.n[b], m.x[Bins]-m.x[b], m.xx[Bins]-m.xx[b]
	above := xx - 2*hi*x + hi*hi*n
	return below + above + (m.n[b]-m.n[a])*scale*scale/12
}

// bin is the first bin whose center is not below v.
func (m *moments) bin(v float64) int {
	return min(max(int(math.Ceil((v-m.base)/m.width-0.5)), 0), Bins)
}
