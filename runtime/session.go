package runtime

import (
	"unsafe"

	"kedge/runtime/op"
	"kedge/runtime/plan"
	"kedge/runtime/tensor"
)

// SessionOptions say how a session works. The zero value is the fast way.
type SessionOptions struct {
	// Separate gives every tensor memory of its own, so that after Invoke all
	// intermediate results can be read.
	Separate bool
}

// Session is a model with memory: an Invoker.
type Session struct {
	model           *Model
	memory          op.Memory
	scratch         [][]byte
	inputs, outputs []TensorInfo
	arenaBytes      int
}

var _ Invoker = (*Session)(nil)

// NewSession allocates a session's memory and puts variables into their initial
// state. It fails with ErrArena when Separate needs more than allowed.
func (m *Model) NewSession(o SessionOptions) (*Session, error) {
	l := m.shared
	if o.Separate {
		var err error
		if l, err = m.layOut(true); err != nil {
			return nil, err
		}
	}
	s := &Session{model: m, inputs: m.Inputs(), outputs: m.Outputs(), arenaBytes: l.size}
	arena := alignedBytes(l.size)
	s.memory.Tensors = make([][]byte, len(l.tensors))
	for i, at := range l.tensors {
		s.memory.Tensors[i] = at.of(arena)
		if data := m.graph.Tensors[i].Data; data != nil {
			s.memory.Tensors[i] = data
		}
	}
	s.scratch = make([][]byte, len(l.scratch))
	for i, at := range l.scratch {
		s.scratch[i] = at.of(arena)
	}
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
	for i := range s.model.steps {
		s.memory.Scratch = s.scratch[i]
		s.model.steps[i].Eval(&s.memory)
	}
	return nil
}

// Reset implements Invoker: int8 variables take their zero point, all others 0.
func (s *Session) Reset() {
	for i := range s.model.graph.Tensors {
		t := &s.model.graph.Tensors[i]
		if !t.Variable {
			continue
		}
		value := byte(0)
		if t.Type == tensor.Int8 {
			value = byte(t.Quant.ZeroPoint())
		}
		memory := s.memory.Tensors[i]
		for j := range memory {
			memory[j] = value
		}
	}
}

// ArenaBytes is the memory for tensors that this session took.
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
// Separate set it is what the last Invoke computed; otherwise other tensors may
// have been laid over it.
func (s *Session) Tensor(index int) []byte { return s.memory.Tensors[index] }
