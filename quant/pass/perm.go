package pass

import (
	"slices"

	"kedge/runtime/tensor"
)

// compose is the permutation of a transpose by first followed by one by second.
func compose(first, second []int) []int {
	out := make([]int, len(second))
	for i, d := range second {
		out[i] = first[d]
	}
	return out
}

// inverse undoes p.
func inverse(p []int) []int {
	out := make([]int, len(p))
	for i, d := range p {
		out[d] = i
	}
	return out
}

func identityPerm(p []int) bool {
	for i, d := range p {
		if i != d {
			return false
		}
	}
	return true
}

// permute gives the items of list in the order of a transpose by p.
func permute(list, p []int) []int {
	out := make([]int, len(p))
	for i, d := range p {
		out[i] = list[d]
	}
	return out
}

// movesOnlyOnes reports whether a transpose of shape by p leaves all elements
// in their order, so that a reshape does the same.
func movesOnlyOnes(shape tensor.Shape, p []int) bool {
	last := -1
	for _, d := range p {
		if shape[d] == 1 {
			continue
		}
		if d < last {
			return false
		}
		last = d
	}
	return true
}

// transposed reorders constant data of the given shape by p.
func transposed(data []float32, shape tensor.Shape, p []int) (tensor.Shape, []float32) {
	out := tensor.Shape(permute(shape, p))
	strides := make([]int, len(shape))
	step := 1
	for d := len(shape) - 1; d >= 0; d-- {
		strides[d] = step
		step *= shape[d]
	}
	moves := permute(strides, p)
	result := make([]float32, len(data))
	index := make([]int, len(p))
	from := 0
	for i := range result {
		result[i] = data[from]
		for d := len(p) - 1; d >= 0; d-- {
			index[d]++
			from += moves[d]
			if index[d] < out[d] {
				break
			}
			from -= moves[d] * out[d]
			index[d] = 0
		}
	}
	return out, slices.Clip(result)
}
