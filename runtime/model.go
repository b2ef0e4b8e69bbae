package runtime

import (
	"kedge/runtime/kernel"
	"kedge/runtime/op"
	"kedge/runtime/tflite"
)

// Model is a checked and prepared model. It is immutable.
type Model struct {
	program             // the main subgraph
	inits     []program // the subgraphs that CALL_ONCE runs, by op.Prep.Slot
	variables op.Variables
	kernels   *kernel.Set
	numerics  op.Numerics
	macs      int64
	work      int64
	most      *portion // of the work
	shared    layout   // tensors share memory
	options   Options
}

// program is one prepared subgraph.
type program struct {
	index   int // in the file
	graph   *tflite.Subgraph
	handles []int32 // by tensor, see op.Variables.Resolve
	steps   []step
	states  []state // by op.Prep.StateSlot
}

// state is what an operator keeps from one inference to the next.
type state struct{ operator, bytes int }

// step is one prepared operator.
type step struct {
	op.Evaluator
	scratch int
	macs    int64
	alias   bool  // see op.Prep
	inPlace []int // see op.Prep
	init    int   // index of the program that it runs, -1 for none
	into    int   // of a PAD: the operator that does it where tensors share memory, 0 for none
}

// MACs is the number of multiply-accumulate operations of one inference.
func (m *Model) MACs() int64 { return m.macs }

// ArenaBytes is the memory that each session takes for tensors, variables and
// the operators' scratch, with the padding between them.
func (m *Model) ArenaBytes() int { return m.shared.size }

// Kernels is the name of the kernel set in use.
func (m *Model) Kernels() string { return m.kernels.Name }

// Threads is how many threads compute: those of Options, or one where no operator
// is long enough to be divided.
func (m *Model) Threads() int {
	for i := range m.steps {
		if op.Divided(m.steps[i].Evaluator) {
			return max(m.options.Threads, 1)
		}
	}
	return 1
}

// Numerics is the name of the arithmetic that the results are defined by.
func (m *Model) Numerics() string { return string(m.numerics) }

// Inputs describes the model's inputs.
func (m *Model) Inputs() []TensorInfo { return describeAll(m.graph.Tensors, m.graph.Inputs) }

// Outputs describes the model's outputs.
func (m *Model) Outputs() []TensorInfo { return describeAll(m.graph.Tensors, m.graph.Outputs) }

// Stateful reports whether the model remembers anything between inferences.
func (m *Model) Stateful() bool {
	if len(m.variables.List) > 0 || len(m.states) > 0 {
		return true
	}
	for i := range m.graph.Tensors {
		if m.graph.Tensors[i].Variable {
			return true
		}
	}
	return false
}

// Logits describes the tensor that goes into the softmax whose result is the model's
// only output; ok is false where there is none. SessionOptions.Keep keeps it.
func (m *Model) Logits() (info TensorInfo, ok bool) {
	g := m.graph
	if len(g.Outputs) != 1 || len(g.Operators) == 0 {
		return info, false
	}
	for i := range g.Operators {
		o := &g.Operators[i]
		if o.Code == tflite.Softmax && o.Outputs[0] == g.Outputs[0] {
			return describe(&g.Tensors[o.Inputs[0]], o.Inputs[0]), true
		}
	}
	return info, false
}
