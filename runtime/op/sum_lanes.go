package op

// laneCells is how many bytes can be added in 16 bits.
const laneCells = 257

// addLanes computes part i of n sums of bytes, eight neighboring ones at a time,
// where the cells of one are tail apart: a word's bytes are added in two words of
// four 16-bit lanes. What flip inverts makes numbers without a sign of them.
func (r *sum[T]) addLanes(out []T, in []uint64, i, n int) {
	const low = 0x00FF00FF00FF00FF
	step := r.tail / 8
	first, end := portion(step, i, n, 8), portion(step, i+1, n, 8)
	for len(in) > 0 {
		block := in[:r.cells*step]
		in = in[len(block):]
		for i := first; i < end; i++ {
			var eight [8]int32
			for at := i; at < len(block); {
				var even, odd uint64
				for end := min(len(block), at+laneCells*step); at < end; at += step {
					w := block[at] ^ r.flip
					even += w & low
					odd += w >> 8 & low
				}
				for k := range 4 {
					eight[2*k] += int32(even >> (16 * k) & 0xFFFF)
					eight[2*k+1] += int32(odd >> (16 * k) & 0xFFFF)
				}
			}
			r.scale(out[8*i:8*i+8], eight[:])
		}
		out = out[r.tail:]
	}
}

// middle is the product of the dimensions behind those that are reduced, if these
// follow each other; else 0.
func middle(shape []int, reduced []bool) int {
	tail, d := 1, len(shape)-1
	for ; d >= 0 && !reduced[d]; d-- {
		tail *= shape[d]
	}
	for d >= 0 && (reduced[d] || shape[d] == 1) {
		d--
	}
	for ; d >= 0; d-- {
		if reduced[d] {
			return 0
		}
	}
	return tail
}
