package kernel

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Team computes the longer operators of one session on several threads. Its
// helpers are there while an inference is in flight and shortly after, and spin for
// the next operator instead of sleeping: waking a thread takes longer than most of
// them. Whoever comes late finds nothing left to do, and nobody waits for him.
//
// Every worker begins with the same share of the parts, and takes others' parts
// only when it has done its own: so a thread mostly reads what it has written
// itself, which is in the cache of its core.
//
// The bytes are those of one thread, because the parts of an operator are separate.
type Team struct {
	helpers  []helper
	shares   []share // of the workers, the caller's first
	expected uint32  // what helped will be when the operator is done
	_        line
	inFlight atomic.Uint32 // counts inferences that have begun or ended: odd while one runs
	_        line

	// The operator that is being computed. Only who has claimed a part of it may
	// read this, for it changes when all parts are done.
	task
	_ line

	now atomic.Uint64 // the operator's number and how many parts it has, see partBits
	_   line

	helped atomic.Uint32 // parts that helpers have done, of all operators
}

// task is an operator at work: job's parts with its operands.
type task struct {
	job     job
	x, out  []int8
	scratch []int8 // of all workers
	y       []int8
	parts   int
}

// part is where part i of n elements begins, for elements in whole cache lines.
func (t *task) part(n, i int) int {
	return min(int(int64(n)*int64(i)/int64(t.parts)+margin-1)/margin*margin, n)
}

// job is an operator in parts that can be computed apart.
type job interface {
	// compute computes the parts from first to end, which is not included.
	compute(first, end int, t *task, scratch []int8, w *Work)
}

// line keeps what one thread writes off the cache lines that another reads.
type line [64]byte

// helper is the place of one thread beside the caller's.
type helper struct {
	there atomic.Bool // a goroutine is at work in it
	start func()      // what that runs; made once, since making it allocates
	work  Work
	_     line
}

// share is the parts that one worker begins with. next is the number of the
// operator of which one was claimed last and the part behind it; with an earlier
// number, none has been claimed yet.
type share struct {
	next atomic.Uint64
	_    line
}

// NewTeam is a team of that many threads, the caller's included, or nil for one.
func NewTeam(threads int) *Team {
	if threads < 2 {
		return nil
	}
	t := &Team{helpers: make([]helper, threads-1), shares: make([]share, threads)}
	for i := range t.helpers {
		h := &t.helpers[i]
		h.start = func() { t.help(i+1, h) }
	}
	return t
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
			go h.start()
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
	var last uint64
	for spins := 1; ; spins++ {
		if now := t.now.Load(); now != last {
			last, idle = now, time.Time{}
			t.take(now, id, &h.work)
		}
		if spins%64 != 0 {
			continue
		}
		switch {
		case t.inFlight.Load()%2 == 1:
			idle = time.Time{}
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

// partBits is how many of the lowest bits of now and of share.next are a number of
// parts. Those above number the operators.
const (
	partBits = 20
	partMask = 1<<partBits - 1
)

// take computes parts of an operator as worker number id, its own share first, as
// long as there are unclaimed ones. It returns how many.
func (t *Team) take(now uint64, id int, w *Work) int {
	all, parts := 0, int(now&partMask)
	for i := range t.shares {
		k := (id + i) % len(t.shares)
		first, end := k*parts/len(t.shares), (k+1)*parts/len(t.shares)
		if first == end {
			continue
		}
		done := t.takeOf(&t.shares[k], now>>partBits, first, end, id, w)
		if all += done; id > 0 && done > 0 {
			t.helped.Add(uint32(done))
		}
	}
	return all
}

// takeOf computes what is left of a share, the parts from first to end, of the
// operator of that number. Claims become shorter: neighboring parts have input in
// common, and the last one should not keep everybody waiting.
func (t *Team) takeOf(s *share, number uint64, first, end, id int, w *Work) int {
	done := 0
	for {
		was, at := s.next.Load(), first
		switch last := was >> partBits; {
		case last > number:
			return done // too late
		case last == number:
			at = int(was & partMask)
		}
		if at >= end {
			return done
		}
		n := (end - at + 1) / 2
		if !s.next.CompareAndSwap(was, number<<partBits|uint64(at+n)) {
			continue
		}
		size := len(t.scratch) / len(t.shares)
		t.job.compute(at, at+n, &t.task, t.scratch[id*size:(id+1)*size], w)
		done += n
	}
}

// size is the number of threads.
func (t *Team) size() int { return len(t.shares) }

// run computes a job of so many parts together.
func (t *Team) run(j job, parts int, x, y, out, scratch []int8, w *Work) {
	t.job, t.x, t.y, t.out, t.scratch, t.parts = j, x, y, out, scratch, parts
	now := (t.now.Load()>>partBits+1)<<partBits | uint64(parts)
	t.now.Store(now)
	t.expected += uint32(parts - t.take(now, 0, w))
	for spins := 1; t.helped.Load() != t.expected; spins++ {
		if spins%1024 == 0 {
			runtime.Gosched()
		}
	}
}
