package op

// worstFirst is a heap of classes, the one of the lowest score in front. It
// exists for the order of equal scores: the reference leaves that to the C++
// library's partial sorting, and quantized scores are often equal. The order here
// is that of GNU's, a heap sort whose holes sink to the bottom before the value
// rises from there.
type worstFirst struct {
	class []int32
	score func(class int32) float32
}

// above tells whether a stays above b: whether its score is higher.
func (h *worstFirst) above(a, b int32) bool { return h.score(a) > h.score(b) }

// fill makes the heap of the best of n classes, at least as many as it holds.
func (h *worstFirst) fill(n int) {
	for i := range h.class {
		h.class[i] = int32(i)
	}
	size := len(h.class)
	for i := size/2 - 1; i >= 0; i-- {
		h.place(i, size, h.class[i])
	}
	for c := int32(size); c < int32(n); c++ {
		if h.above(c, h.class[0]) {
			h.place(0, size, c)
		}
	}
}

// sort turns the heap into a list, the best in front.
func (h *worstFirst) sort() {
	for last := len(h.class) - 1; last > 0; last-- {
		c := h.class[last]
		h.class[last] = h.class[0]
		h.place(0, last, c)
	}
}

// place puts class c into the heap of the first size elements, where element top
// and what is below it have a hole at top.
func (h *worstFirst) place(top, size int, c int32) {
	hole := top
	for 2*hole+1 < size {
		child := 2*hole + 2
		if child == size || h.above(h.class[child], h.class[child-1]) {
			child--
		}
		h.class[hole] = h.class[child]
		hole = child
	}
	for hole > top {
		parent := (hole - 1) / 2
		if !h.above(h.class[parent], c) {
			break
		}
		h.class[hole] = h.class[parent]
		hole = parent
	}
	h.class[hole] = c
}
