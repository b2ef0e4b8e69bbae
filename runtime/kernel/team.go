package kernel

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Team computes the longer layers of one session on several threads. Its helpers
// are there while an inference is in flight and shortly after, and spin for the
// next layer instead of sleeping: waking a thread takes longer than most layers.
// Whoever comes late finds nothing left to do, and nobody waits for him.
//
// The bytes are those of one thread, because the parts of a layer are separate.
type Team struct {
	helpers  []helper
	inFlight atomic.Uint32 // counts inferences that have begun or ended: odd while one runs

	// The layer that is being computed. Only who has claimed a part of it may
	// read this, for it changes when all parts are done.
	layer   *layer
	in, out []int8
	scratch []int8

	next atomic.Uint64 // layer number, parts and the next part to claim, see claim
	done atomic.Uint32 // parts
}

// helper is the place of one thread beside the caller's.
type helper struct {
	there atomic.Bool // a goroutine is at work in it
	work  Work
}

// NewTeam is a team of that many threads, the caller's included, or nil for one.
func NewTeam(threads int) *Team {
	if threads < 2 {
		return nil
	}
	return &Team{helpers: make([]helper, threads-1)}
}

// linger is how long helpers stay after an inference in case the next one follows
// at once: waking them takes as long as a whole inference of a small model.
const linger = 200 * time.Microsecond

// Begin calls the helpers together for an inference.
func (t *Team) Begin() {
	if t == nil {
		return
	}
	t.inFlight.Add(1)
	for i := range t.helpers {
		if h := &t.helpers[i]; !h.there.Load() && h.there.CompareAndSwap(false, true) {
			go t.help(i+1, h)
		}
	}
}

// End sends them away.
func (t *Team) End() {
	if t != nil {
		t.inFlight.Add(1)
	}
}

// help works as worker number id until no inference has been in flight for a
// while.
func (t *Team) help(id int, h *helper) {
	defer h.there.Store(false)
	var idle time.Time // since when; zero while an inference is in flight
	for spins := 1; ; spins++ {
		switch {
		case t.take(id, &h.work) || t.inFlight.Load()%2 == 1:
			idle = time.Time{}
		case spins%64 != 0:
		case idle.IsZero():
			idle = time.Now()
		case time.Since(idle) > linger:
			return
		}
		if spins%1024 == 0 {
			runtime.Gosched()
		}
	}
}

// The fields of next, from the lowest: the part to claim, the number of parts, and
// a count of layers, which keeps a claim for an earlier layer from succeeding.
const (
	partBits  = 20
	partMask  = 1<<partBits - 1
	layerUnit = 1 << (2 * partBits)
)

// take computes parts as long as there are unclaimed ones, as worker number id. It
// reports whether there were any.
//
// Claims become shorter: neighboring parts have input in common, and the last one
// should not keep everybody waiting.
func (t *Team) take(id int, w *Work) bool {
	any := false
	for {
		v := t.next.Load()
		part, parts := int(v&partMask), int(v>>partBits&partMask)
		if part >= parts {
			return any
		}
		workers := len(t.helpers) + 1
		n := max((parts-part)/(2*workers), 1)
		if !t.next.CompareAndSwap(v, v+uint64(n)) {
			continue
		}
		any = true
		size := len(t.scratch) / workers
		t.layer.compute(part, part+n, t.in, t.out, t.scratch[id*size:(id+1)*size], w)
		t.done.Add(uint32(n))
	}
}

// run computes a layer together.
func (t *Team) run(l *layer, in, out, scratch []int8, w *Work) {
	t.layer, t.in, t.out, t.scratch = l, in, out, scratch
	t.done.Store(0)
	parts := uint64(l.parts)
	t.next.Store(t.next.Load()&^(layerUnit-1) + layerUnit + parts<<partBits)
	t.take(0, w)
	for spins := 1; t.done.Load() < uint32(parts); spins++ {
		if spins%1024 == 0 {
			runtime.Gosched()
		}
	}
}
