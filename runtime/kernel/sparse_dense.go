package kernel

// SparseDense is a [Dense] layer of symmetric weights that are mostly 0. Only
// blocks of Block neighboring weights that hold others are stored: those of
// filter n are blocks Segments[n] to Segments[n+1], which is not included, and
// block i begins at input Block·Columns[i].
type SparseDense struct {
	Batch, K, N       int
	InZero            int32 // within int8
	Block             int
	Segments, Columns []int32
	Weights           []int8  // of the stored blocks
	Bias              []int32 // per filter, or nil
	Output            Output

	folded []int32 // bias − InZero·Σ weights
}

// Prepare completes the block.
func (d *SparseDense) Prepare() {
	d.folded = make([]int32, d.N)
	for n := range d.folded {
		var sum int32
		for _, w := range d.Weights[int(d.Segments[n])*d.Block : int(d.Segments[n+1])*d.Block] {
			sum += int32(w)
		}
		d.folded[n] = -d.InZero * sum
		if d.Bias != nil {
			d.folded[n] += d.Bias[n]
		}
	}
}

// Run computes the layer.
func (d *SparseDense) Run(in, out []int8) {
	for b := range d.Batch {
		x, y := in[b*d.K:(b+1)*d.K], out[b*d.N:(b+1)*d.N]
		for n := range y {
			from, to := int(d.Segments[n]), int(d.Segments[n+1])
			acc := d.folded[n] + d.row(x, d.Weights[from*d.Block:to*d.Block], d.Columns[from:to])
			y[n] = d.Output.requantize(acc, n)
		}
	}
}

// row is the product of x with one filter's blocks. Arrays of known length spare
// the checks within a block.
func (d *SparseDense) row(x, w []int8, columns []int32) int32 {
	var acc int32
	switch d.Block {
	case 16:
		for i, c := range columns {
			acc += dot16((*[16]int8)(x[16*int(c):]), (*[16]int8)(w[16*i:]))
		}
	case 8:
		for i, c := range columns {
			acc += dot8((*[8]int8)(x[8*int(c):]), (*[8]int8)(w[8*i:]))
		}
	case 4:
		for i, c := range columns {
			a, b := (*[4]int8)(x[4*int(c):]), (*[4]int8)(w[4*i:])
			acc += int32(a[0])*int32(b[0]) + int32(a[1])*int32(b[1]) + int32(a[2])*int32(b[2]) + int32(a[3])*int32(b[3])
		}
	case 1:
		w = w[:len(columns)]
		for i, c := range columns {
			acc += int32(x[c]) * int32(w[i])
		}
	default:
		for i, c := range columns {
			acc += dot(x[int(c)*d.Block:(int(c)+1)*d.Block], w[i*d.Block:])
		}
	}
	return acc
}

// dot16 is the product of a block of 16.
func dot16(x, w *[16]int8) int32 {
	return dot8((*[8]int8)(x[:8]), (*[8]int8)(w[:8])) + dot8((*[8]int8)(x[8:]), (*[8]int8)(w[8:]))
}

// dot8 is the product of a block of 8.
func dot8(x, w *[8]int8) int32 {
	return int32(x[0])*int32(w[0]) + int32(x[1])*int32(w[1]) + int32(x[2])*int32(w[2]) + int32(x[3])*int32(w[3]) +
		int32(x[4])*int32(w[4]) + int32(x[5])*int32(w[5]) + int32(x[6])*int32(w[6]) + int32(x[7])*int32(w[7])
}
