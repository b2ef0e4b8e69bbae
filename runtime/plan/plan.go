// Package plan places tensors in one arena: buffers that are never needed at
// the same time share memory. The only call is [Place]. It is pure: equal
// arguments give equal plans, on every machine.
package plan

import (
	"errors"
	"math"
)

// Align is the alignment of every offset: a cache line, and enough for any
// vector load.
const Align = 64

// ErrTooLarge: the arena would not fit in 2 GiB.
var ErrTooLarge = errors.New("arena does not fit in 2 GiB")

// Buffer is a request for memory: Size bytes, in use from step First to step
// Last, both included.
type Buffer struct {
	Size        int
	First, Last int
	// Group ties buffers together, one of which takes over another's memory:
	// those of one number begin at the same offset, whatever their steps. 0 is
	// no group; other numbers are at most the number of buffers.
	Group int
}

// Place returns an offset for every buffer and the arena's size. Buffers whose
// steps overlap never overlap in memory, unless they are of one group. Size 0
// gets offset 0.
//
// pairs limits the time that it takes: how often two buffers may be compared.
// To place n of them well takes about n² comparisons, to do better several
// times that. Where not even those are allowed, they are placed without any, in
// more memory.
func Place(buffers []Buffer, pairs int) (offsets []int, size int, err error) {
	p := placer{buffers: buffers, offsets: make([]int, len(buffers))}
	n := int64(p.gather())
	if rounds := int64(pairs) / max(n*n, 1); rounds > 0 {
		err = p.search(int(min(rounds, maxRounds)))
	} else {
		err = p.byClass()
	}
	if err != nil {
		return nil, 0, err
	}
	return p.offsets, p.size, nil
}

// placer is the state of one Place.
type placer struct {
	buffers []Buffer
	next    []int // by buffer: another one of its group, -1 at the end
	units   []unit

	offsets []int
	size    int // of the arena
}

// unit is a group, or a buffer that has none.
type unit struct {
	head        int   // a member; next leads to the others
	need        int64 // the largest member's bytes, a multiple of Align
	first, last int
	offset      int64
}

// gather fills units in order of their first members, and returns the number of
// buffers that need memory.
func (p *placer) gather() int {
	n := 0
	p.next = make([]int, len(p.buffers))
	of := make([]int, len(p.buffers)+1) // by group: its place in units, plus 1
	for i, b := range p.buffers {
		p.next[i] = -1
		if b.Size <= 0 {
			continue
		}
		n++
		if b.Group == 0 || of[b.Group] == 0 {
			p.units = append(p.units, unit{i, align(b.Size), b.First, b.Last, 0})
			of[b.Group] = len(p.units)
			continue
		}
		u := &p.units[of[b.Group]-1]
		p.next[i], u.head = u.head, i
		u.need, u.first, u.last = max(u.need, align(b.Size)), min(u.first, b.First), max(u.last, b.Last)
	}
	return n
}

// keep takes the units' offsets over as the result.
func (p *placer) keep(size int64) error {
	if size > math.MaxInt32-Align {
		return ErrTooLarge
	}
	p.size = int(size)
	for k := range p.units {
		for i := p.units[k].head; i >= 0; i = p.next[i] {
			p.offsets[i] = int(p.units[k].offset)
		}
	}
	return nil
}

// align rounds a size up.
func align(n int) int64 { return (int64(n) + Align - 1) / Align * Align }
