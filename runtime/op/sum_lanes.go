package op

// laneCells is how many bytes can be added in 16 bits.
const laneCells = 257

// addLanes is addRows for bytes, eight neighboring sums at a time, where the cells
// of one are tail apart: a word's bytes are added in two words of four 16-bit
// lanes. What flip inverts makes numbers without a sign of them.
func (r *reduction) addLanes(sums []int32, in []uint64, flip uint64) {
	const low = 0x00FF00FF00FF00FF
	step := r.tail / 8
	for len(in) > 0 {
		block := in[:r.cells*step]
		in = in[len(block):]
		for i := range step {
			eight := sums[:8]
			sums = sums[8:]
			for at := i; at < len(block); {
				var even, odd uint64
				for end := min(len(block), at+laneCells*step); at < end; at += step {
					w := block[at] ^ flip
					even += w & low
					odd += w >> 8 & low
				}
				for k := range 4 {
					eight[2*k] += int32(even >> (16 * k) & 0xFFFF)
					eight[2*k+1] += int32(odd >> (16 * k) & 0xFFFF)
				}
			}
		}
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
