package drift

import (
	"math"
	"slices"
)

// adwinRows bounds the window: row r holds buckets of 2^r samples.
const adwinRows = 30

// adwinWindow is ADWIN's window as an exponential histogram: in every row the oldest
// bucket first, in higher rows what is older. A row but the first is never empty.
type adwinWindow struct {
	width, total, variance float64 // variance is the sum of squared deviations

	rows    int // in use, at least 1
	filled  [adwinRows]int
	most    int      // buckets in a row; one more is there for the moment before a merge
	buckets []bucket // adwinRows times most+1
}

// bucket is the sum of some samples, and that of their squared deviations.
type bucket struct{ total, variance float64 }

func bucketSize(row int) float64 { return float64(uint64(1) << row) }

func newAdwinWindow(most int) adwinWindow {
	return adwinWindow{rows: 1, most: most, buckets: make([]bucket, adwinRows*(most+1))}
}

func (w *adwinWindow) clear() {
	*w = adwinWindow{rows: 1, most: w.most, buckets: w.buckets}
}

func (w *adwinWindow) copy() adwinWindow {
	next := *w
	next.buckets = slices.Clone(w.buckets)
	return next
}

// row is where the buckets of a row lie, used and free.
func (w *adwinWindow) row(r int) []bucket { return w.buckets[r*(w.most+1) : (r+1)*(w.most+1)] }

// spread is what the variance of two groups gains when they are joined.
func spread(n0, mean0, n1, mean1 float64) float64 {
	return float64(n0 * n1 * (mean0 - mean1) * (mean0 - mean1) / (n0 + n1))
}

// insert adds a sample, and merges the two oldest buckets of rows that overflow.
func (w *adwinWindow) insert(x float64) {
	if w.width > 0 {
		apart := x - w.total/w.width
		w.variance += float64(w.width * apart * apart / (w.width + 1))
	}
	w.width++
	w.total += x
	w.push(0, bucket{total: x})
	for r := 0; w.filled[r] > w.most; r++ {
		if r == adwinRows-1 {
			w.drop()
			return
		}
		size, row := bucketSize(r), w.row(r)
		a, b := row[0], row[1]
		w.push(r+1, bucket{
			total:    a.total + b.total,
			variance: a.variance + b.variance + spread(size, a.total/size, size, b.total/size),
		})
		w.shift(r, 2)
	}
}

// push adds the newest bucket of a row.
func (w *adwinWindow) push(r int, b bucket) {
	w.rows = max(w.rows, r+1)
	w.row(r)[w.filled[r]] = b
	w.filled[r]++
}

// shift removes the n oldest buckets of a row.
func (w *adwinWindow) shift(r, n int) {
	row := w.row(r)
	copy(row, row[n:w.filled[r]])
	w.filled[r] -= n
}

// drop removes the oldest bucket. The caller has seen to it that it is not the only
// one.
func (w *adwinWindow) drop() {
	r := w.rows - 1
	size, b := bucketSize(r), w.row(r)[0]
	w.width -= size
	w.total -= b.total
	w.variance -= b.variance + spread(size, b.total/size, w.width, w.total/w.width)
	w.shift(r, 1)
	if w.filled[r] == 0 {
		w.rows--
	}
}

func (w *adwinWindow) encode(e *encoder) {
	e.f64(w.total)
	e.f64(w.variance)
	e.u8(byte(w.rows))
	for r := range w.rows {
		e.u8(byte(w.filled[r]))
		for _, b := range w.row(r)[:w.filled[r]] {
			e.f64(b.total)
			e.f64(b.variance)
		}
	}
}

// maxSquares bounds sums of squares of samples up to riverMax.
const maxSquares = 1e220

// decode fills a fresh window. Its width is that of its buckets.
func (w *adwinWindow) decode(d *decoder) {
	sum := func(what string) float64 {
		v := d.f64(what)
		if math.Abs(v) > maxSquares {
			d.fail(what + " is out of range")
		}
		return v
	}
	w.total, w.variance = sum("the window's total"), sum("the window's variance")
	rows := int(d.u8())
	if rows < 1 || rows > adwinRows {
		d.fail("has an impossible number of rows")
		return
	}
	w.rows = rows
	for r := range rows {
		n := int(d.u8())
		if n > w.most || n == 0 && rows > 1 {
			d.fail("has a row of an impossible length")
			return
		}
		w.filled[r] = n
		w.width += float64(n) * bucketSize(r)
		for i := range n {
			w.row(r)[i] = bucket{total: sum("a bucket's total"), variance: sum("a bucket's variance")}
		}
	}
}
