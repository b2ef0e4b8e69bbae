package kernel

import "math/bits"

// On processors with 64-bit registers one multiplication by a byte serves three
// weights, which lie in a number as
//
//	w0 + w1·2^21 + w2·2^42
//
// Sums of such products hold three sums of their own as long as each fits in 21
// bits with its sign. 63 products do: 63·2^14 is less than 2^20.
const (
	laneBits    = 21
	laneLength  = 63
	laneFilters = 3
	word64      = bits.UintSize == 64
)

// triples are the weights of neighboring filters side by side: of twelve in one
// panel of four numbers per input, then of what is left of them.
type triples struct {
	k      int
	panels [][4]int64
	rest   [][2]int64 // of up to six filters, or empty
}

// wideFilters is how many filters a panel holds, and narrowFilters the rest.
const (
	wideFilters   = 4 * laneFilters
	narrowFilters = 2 * laneFilters
)

// newTriples packs n filters of k weights. It is nil where there would be nothing
// to gain: for registers of 32 bits, or too few filters.
func newTriples(weights []int8, n int, take Take) *triples {
	k := len(weights) / n
	wide, rest := n/wideFilters, n%wideFilters
	if rest > narrowFilters {
		wide, rest = wide+1, 0
	}
	if rest < laneFilters {
		rest = 0 // these few are left to dot
	}
	if !word64 || wide+rest == 0 || !take(k*(32*wide+16*min(rest, 1))) {
		return nil
	}
	t := &triples{k: k, panels: make([][4]int64, wide*k), rest: make([][2]int64, min(rest, 1)*k)}
	for filter := range min(wide*wideFilters+rest, n) {
		lane := filter % wideFilters
		shift := lane % laneFilters * laneBits
		for i, w := range weights[filter*k : (filter+1)*k] {
			if v := int64(w) << shift; filter < wide*wideFilters {
				t.panels[filter/wideFilters*k+i][lane/laneFilters] += v
			} else {
				t.rest[i][lane/laneFilters] += v
			}
		}
	}
	return t
}

// rows computes the outputs of the filters that are packed from the vector x, and
// returns how many these are. Output n begins with shift and with channel first+n
// of folded.
func (t *triples) rows(x []int8, folded []int32, shift int32, o *Output, first int, y []int8) int {
	n := 0
	var all [wideFilters]int32
	for p := 0; p < len(t.panels); p += t.k {
		sums := begin(all[:], folded[first+n:], shift)
		w := t.panels[p : p+t.k]
		for at := 0; at < len(x); at += laneLength {
			end := min(at+laneLength, len(x))
			a0, a1, a2, a3 := dot12(x[at:end], w[at:end])
			unpack(a0, sums[:3])
			unpack(a1, sums[3:6])
			unpack(a2, sums[6:9])
			unpack(a3, sums[9:])
		}
		n += o.requantizeAll(sums, first+n, y[n:])
	}
	if len(t.rest) > 0 {
		sums := begin(all[:narrowFilters], folded[first+n:], shift)
		for at := 0; at < len(x); at += laneLength {
			end := min(at+laneLength, len(x))
			a0, a1 := dot6(x[at:end], t.rest[at:end])
			unpack(a0, sums[:3])
			unpack(a1, sums[3:])
		}
		n += o.requantizeAll(sums, first+n, y[n:])
	}
	return n
}

// begin is sums as they are before the first product. Those of filters that only
// fill up a panel do not matter.
func begin(sums, folded []int32, shift int32) []int32 {
	copy(sums, folded)
	if shift != 0 {
		for i := range sums {
			sums[i] += shift
		}
	}
	return sums
}

// dot12 multiplies up to 63 bytes with the weights of twelve filters.
//
//go:noinline
func dot12(x []int8, w [][4]int64) (a0, a1, a2, a3 int64) {
	w = w[:len(x)]
	for i, b := range x {
		v, w := int64(b), &w[i]
		a0 += v * w[0]
		a1 += v * w[1]
		a2 += v * w[2]
		a3 += v * w[3]
	}
	return a0, a1, a2, a3
}

// dot6 is the same for six filters.
//
//go:noinline
func dot6(x []int8, w [][2]int64) (a0, a1 int64) {
	w = w[:len(x)]
	for i, b := range x {
		v, w := int64(b), &w[i]
		a0 += v * w[0]
		a1 += v * w[1]
	}
	return a0, a1
}

// unpack adds the three sums in a number to three others.
func unpack(a int64, s []int32) {
	const unused = 64 - laneBits
	s0 := a << unused >> unused
	a = (a - s0) >> laneBits
	s1 := a << unused >> unused
	s[2] += int32((a - s1) >> laneBits)
	s[1] += int32(s1)
	s[0] += int32(s0)
}
