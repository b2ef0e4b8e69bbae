package runtime

import (
	"fmt"
	"unsafe"

	"kedge/runtime/kernel"
	"kedge/runtime/plan"
)

// SessionOptions say how a session works. The zero value is the fast way.
type SessionOptions struct {
	// Separate gives every tensor memory of its own, so that after Invoke all
	// intermediate results can be read.
	Separate bool
	// Keep lists tensors by index that are not overwritten before Invoke returns, so
	// that Session.Tensor is what the last Invoke computed of them: what a classifier
	// has before its softmax, say. The arena may grow. One that no operator needs, because
	// its reader does its writer's work, stays without memory.
	Keep []int
}

// Session is a model with memory: an Invoker.
type Session struct {
	frame           // of the main subgraph
	inits   []frame // of the subgraphs that CALL_ONCE runs
	done    []bool  // which of them have run since the last Reset
	model   *Model
	team    *kernel.Team // nil for one thread
	inputs  []TensorInfo
	outputs []TensorInfo

	arenaBytes int
}

var _ Invoker = (*Session)(nil)

// NewSession allocates a session's memory and puts variables into their initial
// state. It fails with ErrArena when what is to be readable needs more
// than allowed.
func (m *Model) NewSession(o SessionOptions) (*Session, error) {
	l := m.shared
	if o.Separate || len(o.Keep) > 0 {
		for _, t := range o.Keep {
			if t < 0 || t >= len(m.graph.Tensors) {
				return nil, fmt.Errorf("%w: tensor %d to keep, the model has %d", ErrMalformed, t, len(m.graph.Tensors))
			}
		}
		var err error
		if l, err = m.arrange(o); err != nil {
			return nil, err
		}
	}
	arena := alignedBytes(l.size)
	variables := make([][]byte, len(l.variables))
	for i, at := range l.variables {
		variables[i] = at.of(arena)
	}
	s := &Session{
		frame: newFrame(&m.program, &l, arena, variables), model: m,
		inputs: m.Inputs(), outputs: m.Outputs(), arenaBytes: l.size,
		inits: make([]frame, len(m.inits)), done: make([]bool, len(m.inits)),
	}
	for i := range m.steps {
		if init := m.steps[i].init; init >= 0 {
			s.inits[init] = newFrame(&m.inits[init], &l.inits[init], s.scratch[i], variables)
		}
	}
	s.memory.Once = s.once
	s.team = kernel.NewTeam(m.Threads())
	s.memory.Work.Team = s.team
	s.Reset()
	return s, nil
}

// of is the span's piece of the arena, with no room to grow into its neighbor.
func (s span) of(arena []byte) []byte {
	if s.offset < 0 {
		return nil
	}
	return arena[s.offset : s.offset+s.bytes : s.offset+s.bytes]
}

// alignedBytes allocates n bytes at a multiple of the plan's alignment, which
// the allocator does not promise.
func alignedBytes(n int) []byte {
	b := make([]byte, n+plan.Align)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (plan.Align - 1)
	return b[skip : skip+n : skip+n]
}

// Inputs implements Invoker.
func (s *Session) Inputs() []TensorInfo { return s.inputs }

// Outputs implements Invoker.
func (s *Session) Outputs() []TensorInfo { return s.outputs }

// Input implements Invoker.
func (s *Session) Input(i int) []byte { return s.memory.Tensors[s.inputs[i].Index] }

// Output implements Invoker.
func (s *Session) Output(i int) []byte { return s.memory.Tensors[s.outputs[i].Index] }

// Invoke implements Invoker. It never fails and does not allocate.
func (s *Session) Invoke() error {
	s.team.Begin()
	s.run()
	s.team.End()
	return nil
}

// once runs a subgraph that CALL_ONCE names, the first time after a Reset.
func (s *Session) once(init int) {
	if !s.done[init] {
		s.done[init] = true
		s.inits[init].clearState()
		s.inits[init].run()
	}
}

// Reset implements Invoker. Variable tensors of int8 take their zero point, all
// others 0, and so does what operators remember; resource variables their initial content, and the next Invoke runs
// the model's initialization again. Inputs keep what was written to them.
func (s *Session) Reset() {
	s.clearState()
	for i, v := range s.model.variables.List {
		fill(s.memory.Variables[i], v.Initial)
	}
	clear(s.done)
}

// ArenaBytes is the memory that this session took for tensors, variables and the
// operators' scratch, with the padding between them.
func (s *Session) ArenaBytes() int { return s.arenaBytes }

// Computed describes every tensor that is not a constant, in the model's order.
func (s *Session) Computed() []TensorInfo {
	var infos []TensorInfo
	for i := range s.model.graph.Tensors {
		if t := &s.model.graph.Tensors[i]; t.Data == nil && s.memory.Tensors[i] != nil {
			infos = append(infos, describe(t, i))
		}
	}
	return infos
}

// Tensor is the content of the tensor with that index. In a session with
// Separate set, or with the tensor in Keep, it is what the last Invoke computed;
// otherwise other tensors may have been laid over it. It is nil where no operator
// needs it.
func (s *Session) Tensor(index int) []byte { return s.memory.Tensors[index] }
