package plan

import (
	"cmp"
	"math/bits"
	"slices"
)

// byClass places units in the order of their first steps. A unit takes the place
// of one of its size class that is no longer alive, or a new place at the
// arena's end.
func (p *placer) byClass() error {
	slices.SortFunc(p.units, func(a, b unit) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.head, b.head)) })
	ending := make([]*unit, len(p.units))
	for i := range p.units {
		ending[i] = &p.units[i]
		ending[i].need = class(ending[i].need)
	}
	slices.SortFunc(ending, func(a, b *unit) int { return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.head, b.head)) })
	free := map[int64][]int64{} // offsets by class
	end := int64(0)
	for i := range p.units {
		u := &p.units[i]
		for ; ending[0].last < u.first; ending = ending[1:] {
			free[ending[0].need] = append(free[ending[0].need], ending[0].offset)
		}
		if places := free[u.need]; len(places) > 0 {
			u.offset, free[u.need] = places[len(places)-1], places[:len(places)-1]
		} else {
			u.offset = end
			end += u.need
		}
	}
	return p.keep(end)
}

// class is the largest size of n's class, which is at most a quarter more.
func class(n int64) int64 {
	unit := int64(max(Align, 1<<max(bits.Len64(uint64(n-1))-3, 0)))
	return (n + unit - 1) / unit * unit
}
