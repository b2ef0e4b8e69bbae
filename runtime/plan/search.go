package plan

import (
	"cmp"
	"math"
	"slices"
)

// maxRounds limits search where buffers are few. Nearly always the first rounds
// find all that there is.
const maxRounds = 64

// search places units largest first ("greedy by size", Pisarchyk and Lee,
// Efficient Memory Management for Deep Neural Net Inference, 2020, section 5).
// Where that takes more than what is alive at some step, it tries again with
// the unit that reaches highest moved halfway to the front, now and then all the
// way, as long as rounds are left ("squeaky wheel", Joslin and Clements, 1999), and
// keeps the best.
func (p *placer) search(rounds int) error {
	slices.SortStableFunc(p.units, func(a, b unit) int {
		return cmp.Or(cmp.Compare(b.need, a.need), cmp.Compare(a.first, b.first))
	})
	best := p.inOrder()
	if err := p.keep(best); err != nil || rounds == 1 {
		return err
	}
	least := p.least()
	for round := range rounds - 1 {
		if best == least {
			break
		}
		p.promote(round%8 < 6)
		if size := p.inOrder(); size < best {
			best = size
			if err := p.keep(size); err != nil {
				return err
			}
		}
	}
	return nil
}

// least is the most memory that is in use at one step: no plan takes less.
func (p *placer) least() int64 {
	most, done := int64(0), -1
	var steps []int // where use grows
	for _, b := range p.buffers {
		if b.Size > 0 {
			steps = append(steps, b.First)
		}
	}
	slices.Sort(steps)
	for _, step := range steps {
		if step == done {
			continue
		}
		done = step
		most = max(most, p.inUse(step))
	}
	return most
}

// inUse is the memory that is in use at a step.
func (p *placer) inUse(step int) int64 {
	sum := int64(0)
	for _, u := range p.units {
		if step < u.first || u.last < step {
			continue
		}
		need := 0
		for i := u.head; i >= 0; i = p.next[i] {
			if b := &p.buffers[i]; b.First <= step && step <= b.Last {
				need = max(need, b.Size)
			}
		}
		sum += align(need)
	}
	return sum
}

// promote moves the unit that ends highest halfway to the front, or all the way.
func (p *placer) promote(half bool) {
	top := 0
	for i, u := range p.units {
		if u.offset+u.need > p.units[top].offset+p.units[top].need {
			top = i
		}
	}
	to := 0
	if half {
		to = top / 2
	}
	u := p.units[top]
	copy(p.units[to+1:top+1], p.units[to:top])
	p.units[to] = u
}

// inOrder places one unit after the other, each into the tightest gap between
// those already placed that live at the same time, and returns the arena's size.
func (p *placer) inOrder() (size int64) {
	placed := make([]*unit, 0, len(p.units)) // by ascending offset
	conflicts := make([]conflict, 0, len(p.units))
	for i := range p.units {
		u := &p.units[i]
		conflicts = p.conflicts(conflicts[:0], placed, u)
		u.offset = gap(conflicts)
		size = max(size, u.offset+u.need)
		at, _ := slices.BinarySearchFunc(placed, u.offset, func(v *unit, offset int64) int {
			return cmp.Compare(v.offset, offset)
		})
		placed = slices.Insert(placed, at, u)
	}
	return size
}

// conflict is a placed unit that a new one must lie below or above of.
type conflict struct {
	below int64 // the highest offset for lying below it and, see gap, all later ones
	above int64 // the lowest for lying above it
}

// conflicts appends what u must avoid to list, in the order of placed. Members
// of two units are in each other's way where their steps overlap: beside what is
// small at that time there is room, however large another member is.
func (p *placer) conflicts(list []conflict, placed []*unit, u *unit) []conflict {
	for _, v := range placed {
		if v.last < u.first || u.last < v.first {
			continue
		}
		under, over := 0, 0
		for i := u.head; i >= 0; i = p.next[i] {
			for j := v.head; j >= 0; j = p.next[j] {
				if a, b := &p.buffers[i], &p.buffers[j]; a.First <= b.Last && b.First <= a.Last {
					under, over = max(under, a.Size), max(over, b.Size)
				}
			}
		}
		if under > 0 {
			list = append(list, conflict{v.offset - align(under), v.offset + align(over)})
		}
	}
	return list
}

// gap is the offset that leaves least room between two conflicts, or that above
// all of them.
func gap(list []conflict) int64 {
	below := int64(math.MaxInt64)
	for i := len(list) - 1; i >= 0; i-- {
		below = min(below, list[i].below)
		list[i].below = below
	}
	best, least, end := int64(-1), int64(math.MaxInt64), int64(0)
	for _, c := range list {
		if room := c.below - end; room >= 0 && room < least {
			best, least = end, room
		}
		end = max(end, c.above)
	}
	if best >= 0 {
		return best
	}
	return end
}
