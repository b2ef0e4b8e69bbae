// Package plan places tensors in one arena: buffers that are never needed at
// the same time share memory. The only call is [Place]. It is pure: equal
// arguments give equal plans, on every machine.
package plan

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// Align is the alignment of every offset: a cache line, and enough for any
// vector load.
const Align = 64

// ErrTooLarge: the arena would not fit in 31 bits.
var ErrTooLarge = errors.New("arena does not fit in 2 GiB")

// Buffer is a request for memory: Size bytes, in use from step First to step
// Last, both included.
type Buffer struct {
	Size        int
	First, Last int
}

// Place returns an offset for every buffer and the arena's size. Buffers whose
// steps overlap never overlap in memory; size 0 gets offset 0.
//
// Largest first, each buffer goes into the tightest gap between those already
// placed that live at the same time ("greedy by size", Pisarchyk and Lee,
// Efficient Memory Management for Deep Neural Net Inference, 2020, section 5).
func Place(buffers []Buffer) (offsets []int, size int, err error) {
	order := make([]int, 0, len(buffers))
	for i, b := range buffers {
		if b.Size > 0 {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(
			cmp.Compare(buffers[b].Size, buffers[a].Size),
			cmp.Compare(buffers[a].First, buffers[b].First),
			cmp.Compare(a, b))
	})
	offsets = make([]int, len(buffers))
	placed := make([]int, 0, len(order)) // indices by ascending offset
	for _, i := range order {
		at := gap(buffers, offsets, placed, i)
		end := at + align(buffers[i].Size)
		if end > math.MaxInt32-Align {
			return nil, 0, ErrTooLarge
		}
		offsets[i], size = int(at), max(size, int(end))
		pos, _ := slices.BinarySearchFunc(placed, offsets[i], func(j, off int) int {
			return cmp.Compare(offsets[j], off)
		})
		placed = slices.Insert(placed, pos, i)
	}
	return offsets, size, nil
}

// gap is the offset of the smallest hole for buffer i, or of the end.
func gap(buffers []Buffer, offsets, placed []int, i int) int64 {
	need := align(buffers[i].Size)
	best, bestSize := int64(-1), int64(math.MaxInt64)
	end := int64(0)
	for _, j := range placed {
		if buffers[j].Last < buffers[i].First || buffers[i].Last < buffers[j].First {
			continue
		}
		at := int64(offsets[j])
		if hole := at - end; hole >= need && hole < bestSize {
			best, bestSize = end, hole
		}
		end = max(end, at+align(buffers[j].Size))
	}
	if best >= 0 {
		return best
	}
	return end
}

// align rounds a size up.
func align(n int) int64 { return (int64(n) + Align - 1) / Align * Align }
