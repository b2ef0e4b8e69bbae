package runtime

import (
	"kedge/runtime/op"
	"kedge/runtime/tensor"
)

// frame is a subgraph with memory.
type frame struct {
	program *program
	memory  op.Memory
	scratch [][]byte // by operator
}

// newFrame gives p its pieces of the arena that l was planned for.
func newFrame(p *program, l *layout, arena []byte, variables [][]byte) frame {
	f := frame{program: p, scratch: make([][]byte, len(l.scratch))}
	f.memory.Variables = variables
	f.memory.Tensors = make([][]byte, len(l.tensors))
	for i, at := range l.tensors {
		f.memory.Tensors[i] = at.of(arena)
		if data := p.graph.Tensors[i].Data; data != nil {
			f.memory.Tensors[i] = data
		}
	}
	for i, at := range l.scratch {
		f.scratch[i] = at.of(arena)
	}
	f.memory.States = make([][]byte, len(l.states))
	for i, at := range l.states {
		f.memory.States[i] = at.of(arena)
	}
	return f
}

// run evaluates the operators in order.
func (f *frame) run() {
	for i := range f.program.steps {
		f.memory.Scratch = f.scratch[i]
		f.program.steps[i].Eval(&f.memory)
	}
}

// clearState puts variable tensors and operators' memory into their initial
// state.
func (f *frame) clearState() {
	for _, state := range f.memory.States {
		clear(state)
	}
	for i := range f.program.graph.Tensors {
		t := &f.program.graph.Tensors[i]
		if !t.Variable {
			continue
		}
		value := byte(0)
		if t.Type == tensor.Int8 {
			value = byte(t.Quant.ZeroPoint())
		}
		fill(f.memory.Tensors[i], value)
	}
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}
