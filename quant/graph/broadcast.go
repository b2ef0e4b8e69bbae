package graph

import (
	"fmt"

	"kedge/runtime/tensor"
)

// broadcast is the shape that a and b have together under NumPy's rule:
// aligned at the last dimension, extents are equal or one of them is 1.
func broadcast(a, b tensor.Shape) (tensor.Shape, error) {
	out := make(tensor.Shape, max(len(a), len(b)))
	for i := range out {
		da, db := fromEnd(a, len(out)-i), fromEnd(b, len(out)-i)
		if da != db && da != 1 && db != 1 {
			return nil, fmt.Errorf("%w: shapes %v and %v do not broadcast: %d against %d", ErrInvalid, a, b, da, db)
		}
		out[i] = max(da, db)
	}
	return out, nil
}

// fromEnd is the i-th extent from the end (the last is 1), 1 in front of the first.
func fromEnd(s tensor.Shape, i int) int {
	if i > len(s) {
		return 1
	}
	return s[len(s)-i]
}

// broadcastSteps are the steps with which an operand of shape s is read for a
// result of shape out.
func broadcastSteps(s, out tensor.Shape) []int {
	steps, own := make([]int, len(out)), strides(s)
	for i := range s {
		if s[i] != 1 {
			steps[len(out)-len(s)+i] = own[i]
		}
	}
	return steps
}

// chunk is how many elements elementwise hands to f at once, when an operand is
// one repeated element.
const chunk = 256

// elementwise computes out = f(a, b) with broadcasting. f gets slices of equal
// length, of which dst is none of the others.
func elementwise(e *Executor, n *Node, f func(dst, a, b []float32)) {
	shape := e.g.Tensor(n.Outputs[0]).Shape
	y, x0, x1 := e.values[n.Outputs[0]], e.values[n.Inputs[0]], e.values[n.Inputs[1]]
	w := newWalk(shape, broadcastSteps(e.g.Tensor(n.Inputs[0]).Shape, shape), broadcastSteps(e.g.Tensor(n.Inputs[1]).Shape, shape))
	// The innermost step is 1, or 0 for an operand that repeats; never 0 for both,
	// since such a dimension would have extent 1.
	size, s0, s1 := w.row()
	if s0 == 1 && s1 == 1 || size == 1 {
		w.rows(func(at, a, b int) { f(y[at:at+size], x0[a:a+size], x1[b:b+size]) })
		return
	}
	repeated := make([]float32, min(size, chunk))
	w.rows(func(at, a, b int) {
		value := x1[b]
		if s0 == 0 {
			value = x0[a]
		}
		for i := range repeated {
			repeated[i] = value
		}
		for lo := 0; lo < size; lo += chunk {
			hi := min(lo+chunk, size)
			if s0 == 0 {
				f(y[at+lo:at+hi], repeated[:hi-lo], x1[b+lo:b+hi])
			} else {
				f(y[at+lo:at+hi], x0[a+lo:a+hi], repeated[:hi-lo])
			}
		}
	})
}
