package kernel

// Column is a column of an image that is resized: where the two columns of the
// original lie that it is between, in bytes from the row's begin, and their weights,
// which make 1024 together, the second's 2^16 times.
type Column struct {
	First, Second int32
	Weights       uint32
}

// Bilinear mixes rows of pixels of depth channels: every channel of the columns of
// two rows, whose weights are 1024-weight and weight. The sum of the four, over 2^20,
// is rounded half away from zero.
func (s *Set) Bilinear(out, top, bottom []int8, columns []Column, depth int, weight int32) {
	whole := 0
	if s.engine != nil && s.engine.bilinear != nil && depth >= 8 && len(columns) > 0 {
		whole = depth &^ 7
		s.engine.bilinear(&out[0], &top[0], &bottom[0], &columns[0], len(columns), depth, whole, int(weight))
	}
	if whole == depth {
		return
	}
	for i := range columns {
		c := &columns[i]
		first, second := int(c.First), int(c.Second)
		mix(out[i*depth+whole:(i+1)*depth], top[first+whole:], top[second+whole:], bottom[first+whole:], bottom[second+whole:], c.Weights, weight)
	}
}

// BilinearKernel names what computes Bilinear: the set, or "go".
func (s *Set) BilinearKernel() string {
	return s.kernel("bilinear", s.engine != nil && s.engine.bilinear != nil)
}

// mix interpolates one pixel's channels from its four neighbors.
func mix(out, tl, tr, bl, br []int8, weights uint32, wy int32) {
	n := len(out)
	tl, tr, bl, br = tl[:n], tr[:n], bl[:n], br[:n]
	left, right := int32(weights&0xFFFF), int32(weights>>16)
	wtl, wtr, wbl, wbr := left*(1<<10-wy), right*(1<<10-wy), left*wy, right*wy
	for c := range out {
		sum := int32(tl[c])*wtl + int32(tr[c])*wtr + int32(bl[c])*wbl + int32(br[c])*wbr
		out[c] = int8((sum + 1<<19 + sum>>31) >> 20) // halves up, of negative sums down
	}
}
