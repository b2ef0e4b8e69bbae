package runtime_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"

	"kedge/runtime"
	"kedge/runtime/op"
	"kedge/runtime/runtimetest"
)

// guard loads files that nobody trusts and runs them, and reports what must not
// happen.
type guard struct {
	maxArena int
	work     int64 // what may still be spent on running models
	compare  bool  // run in several ways, which must give the same

	loaded  bool // the last file
	err     error
	ran     int
	slowest time.Duration
}

// kinds are the errors that a file can cause.
var kinds = []error{
	runtime.ErrNotTFLite, runtime.ErrTruncated, runtime.ErrMalformed, runtime.ErrVersion, runtime.ErrBudget,
	runtime.ErrUnsupported, runtime.ErrInvalid, runtime.ErrArena, runtime.ErrWork,
}

// patience is how long loading may take, and an inference beside what its work
// explains, on a board; perStep is what a step may take there. Emulators get as
// much more as they are slower.
const (
	patience = time.Second
	perStep  = 60 * time.Nanosecond
)

// slowness is how many times slower than a board this machine is, at least 1, by
// loading a small model.
var slowness = sync.OnceValue(func() time.Duration {
	const loads, board = 100, 20 * time.Millisecond
	file := runtimetest.Mover().Bytes()
	took := shortest(0, func() {
		for range loads {
			runtime.Load(file, runtime.Options{})
		}
	})
	return 1 + took/board
})

// check loads file and, if that succeeds, runs it once on arbitrary input. The
// error says what went wrong other than an orderly refusal.
func (g *guard) check(file []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	var m *runtime.Model
	var s *runtime.Session
	var took int64
	lasted := shortest(patience/2, func() {
		took = allocated(func() {
			if m, g.err = runtime.Load(file, runtime.Options{MaxArena: g.maxArena}); g.err == nil {
				s, g.err = m.NewSession(runtime.SessionOptions{})
			}
		})
	})
	g.slowest = max(g.slowest, lasted)
	if lasted > patience*slowness() {
		return fmt.Errorf("loading took %v", lasted)
	}
	limit := 16*int64(len(file)) + 1<<20
	if g.loaded = g.err == nil; g.loaded {
		limit += int64(s.ArenaBytes())
	}
	if took > limit {
		return fmt.Errorf("%d bytes allocated for a file of %d, limit %d", took, len(file), limit)
	}
	if !g.loaded {
		return orderly(g.err)
	}
	if m.Work() > g.work {
		return nil
	}
	g.ran++
	g.work -= m.Work()
	if g.compare {
		return compareRuns(m, s)
	}
	return g.run(m, s)
}

// orderly checks that an error is of a known kind and says something, in a line
// that a person can read.
func orderly(err error) error {
	if text := err.Error(); len(text) < 10 || len(text) > 8192 {
		return fmt.Errorf("an error of %d bytes: %.200s", len(text), text)
	}
	if e, ok := errors.AsType[*op.Error](err); ok {
		// Where nothing is wanted the operator does not exist, and one that lacks
		// its tensors has none that could be named.
		named := e.Want == "" || e.Tensor != "" || e.Operator == "CALL_ONCE" || strings.HasSuffix(e.Found, "puts")
		if e.Operator == "" || e.Want != "" && e.Found == "" || !named {
			return fmt.Errorf("an error that says too little: %w", err)
		}
	}
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return nil
		}
	}
	return fmt.Errorf("an error of no kind: %w", err)
}

func (g *guard) run(m *runtime.Model, s *runtime.Session) error {
	fillInputs(s, rand.New(rand.NewPCG(1, 2)))
	var err error
	took := shortest(patience/2, func() { err = s.Invoke() })
	if limit := (patience + time.Duration(m.Work())*perStep) * slowness(); took > limit {
		return fmt.Errorf("one inference of %d steps took %v", m.Work(), took)
	}
	return err
}

// shortest is the time that f takes, of up to three attempts while it is not below
// enough. It is by the wall or by the processor, whichever is less: other processes
// and other threads are not f's fault.
func shortest(enough time.Duration, f func()) time.Duration {
	best := time.Duration(math.MaxInt64)
	for range 3 {
		start, used := time.Now(), processorTime()
		f()
		best = min(best, time.Since(start), processorTime()-used)
		if best < enough {
			break
		}
	}
	return best
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// allocated is how many bytes f allocates.
func allocated(f func()) int64 {
	var before, after goruntime.MemStats
	goruntime.ReadMemStats(&before)
	f()
	goruntime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// fillInputs writes arbitrary bytes.
func fillInputs(s *runtime.Session, random *rand.Rand) {
	for i := range s.Inputs() {
		for j := range s.Input(i) {
			s.Input(i)[j] = byte(random.Uint32())
		}
	}
}

// compareRuns runs a new session over two samples, again after a reset, and a
// session in which no tensors share memory.
func compareRuns(m *runtime.Model, s *runtime.Session) error {
	want, err := twoSamples(s)
	if err != nil {
		return err
	}
	s.Reset()
	if got, err := twoSamples(s); err != nil || !bytes.Equal(got, want) {
		return fmt.Errorf("after a reset: got %x, %v, want %x", got, err, want)
	}
	separate, err := m.NewSession(runtime.SessionOptions{Separate: true})
	if err != nil {
		return orderly(err)
	}
	if got, err := twoSamples(separate); err != nil || !bytes.Equal(got, want) {
		return fmt.Errorf("without sharing memory: got %x, %v, want %x", got, err, want)
	}
	return nil
}

// twoSamples is what a session gives for two samples.
func twoSamples(s *runtime.Session) ([]byte, error) {
	random := rand.New(rand.NewPCG(3, 4))
	var out []byte
	for range 2 {
		fillInputs(s, random)
		if err := s.Invoke(); err != nil {
			return nil, err
		}
		for i := range s.Outputs() {
			out = append(out, s.Output(i)...)
		}
	}
	return out, nil
}
