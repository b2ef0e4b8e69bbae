package graph

import "kedge/runtime/tensor"

// walk visits an array in C order while two other arrays are read or written
// in another order: neighbors along dimension d are a[d] and b[d] elements
// apart in those. A step of 0 repeats elements, which is broadcasting.
type walk struct {
	shape, a, b []int
}

// newWalk merges the dimensions that all three arrays pass through as if they
// were one, so that equal shapes, a scalar and a vector along the last
// dimension become one or two long loops. At least one dimension remains.
func newWalk(shape tensor.Shape, a, b []int) walk {
	var w walk
	for d := len(shape) - 1; d >= 0; d-- {
		if shape[d] == 1 {
			continue
		}
		if last := len(w.shape) - 1; last >= 0 && a[d] == w.a[last]*w.shape[last] && b[d] == w.b[last]*w.shape[last] {
			w.shape[last] *= shape[d]
			continue
		}
		w.shape, w.a, w.b = append(w.shape, shape[d]), append(w.a, a[d]), append(w.b, b[d])
	}
	if len(w.shape) == 0 {
		return walk{shape: []int{1}, a: []int{0}, b: []int{0}}
	}
	return w
}

// row is the number of elements of a row, the innermost dimension, and the steps
// of the two arrays within it.
func (w walk) row() (n, a, b int) { return w.shape[0], w.a[0], w.b[0] }

// rows calls f for every row, with where it begins in the array visited and in
// the two others. (Dimensions are kept innermost first.)
func (w walk) rows(f func(at, a, b int)) {
	n := w.shape[0]
	index := make([]int, len(w.shape))
	for at, a, b := 0, 0, 0; ; at += n {
		f(at, a, b)
		d := 1
		for ; d < len(index); d++ {
			index[d]++
			a, b = a+w.a[d], b+w.b[d]
			if index[d] < w.shape[d] {
				break
			}
			a, b = a-w.a[d]*w.shape[d], b-w.b[d]*w.shape[d]
			index[d] = 0
		}
		if d == len(index) {
			return
		}
	}
}

// strides gives the distance of neighbors along each dimension of an array in
// C order.
func strides(shape tensor.Shape) []int {
	out, step := make([]int, len(shape)), 1
	for d := len(shape) - 1; d >= 0; d-- {
		out[d] = step
		step *= shape[d]
	}
	return out
}

// gather fills y, an array of the given shape, with the elements of x that lie
// steps apart beginning at base.
func gather(y []float32, shape tensor.Shape, x []float32, base int, steps []int) {
	w := newWalk(shape, steps, steps)
	n, step, _ := w.row()
	w.rows(func(at, a, _ int) {
		row, from := y[at:at+n], base+a
		if step == 1 {
			copy(row, x[from:])
			return
		}
		for i := range row {
			row[i] = x[from+i*step]
		}
	})
}
