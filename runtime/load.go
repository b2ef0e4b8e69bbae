package runtime

import (
	"encoding/binary"
	"fmt"
	"os"
	"unsafe"

	"kedge/runtime/kernel"
	"kedge/runtime/op"
	"kedge/runtime/tflite"
)

// DefaultMaxArena is the arena's limit where Options names none.
const DefaultMaxArena = 64 << 20

// Options say how a model is loaded. The zero value is right for a board.
type Options struct {
	// MaxArena limits a session's memory for tensors, in bytes. 0 stands for
	// DefaultMaxArena.
	MaxArena int
	// Kernels names the kernel set. Empty stands for the environment variable
	// KEDGE_KERNELS, and where that is unset for the best set that the processor
	// can run.
	Kernels string
}

func (o Options) maxArena() int {
	if o.MaxArena == 0 {
		return DefaultMaxArena
	}
	return o.MaxArena
}

// chooseKernels returns the kernel set of that name, with Options.Kernels'
// meaning of the empty name.
func chooseKernels(name string) (*kernel.Set, error) {
	if name == "" {
		name = os.Getenv("KEDGE_KERNELS")
	}
	return kernel.Choose(name)
}

// KernelSet is the name of the kernel set that Load would use.
func KernelSet(o Options) (string, error) {
	set, err := chooseKernels(o.Kernels)
	if err != nil {
		return "", err
	}
	return set.Name, nil
}

// Model is a checked and prepared model. It is immutable.
type Model struct {
	graph    *tflite.Subgraph
	kernels  *kernel.Set
	numerics op.Numerics
	steps    []step
	macs     int64
	shared   layout // tensors share memory
	options  Options
}

// step is one prepared operator.
type step struct {
	op.Evaluator
	scratch int
	macs    int64
	alias   bool
}

// Load checks and prepares a model. Weights are read in place: file must not
// change as long as the model is in use. All operators that cannot run are
// reported together; errors.Is tells the kinds apart by the package's Err
// variables.
func Load(file []byte, o Options) (*Model, error) {
	m, err := prepare(file, o)
	if err != nil {
		return nil, err
	}
	if m.shared, err = m.layOut(false); err != nil {
		return nil, err
	}
	return m, nil
}

// prepare is Load without the arena. On errors of operators the model is
// returned too, for a report.
func prepare(file []byte, o Options) (*Model, error) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, ErrPlatform
	}
	kernels, err := chooseKernels(o.Kernels)
	if err != nil {
		return nil, err
	}
	budget := tflite.NewBudget(len(file))
	decoded, err := tflite.Decode(file, budget)
	if err != nil {
		return nil, err
	}
	m := &Model{graph: &decoded.Subgraphs[0], kernels: kernels, numerics: op.TFLM, options: o}
	if err := m.checkFlow(); err != nil {
		return nil, err
	}
	if err := m.alignConstants(budget); err != nil {
		return nil, err
	}
	if err := m.prepareOperators(budget); err != nil {
		return m, err
	}
	return m, nil
}

// errorBytes is about what one operator's error takes.
const errorBytes = 512

func (m *Model) prepareOperators(budget *tflite.Budget) error {
	var failed operatorErrors
	m.steps = make([]step, len(m.graph.Operators))
	for i := range m.graph.Operators {
		p := op.Prep{
			Index: i, Operator: &m.graph.Operators[i], Tensors: m.graph.Tensors,
			Kernels: m.kernels, Numerics: m.numerics, Budget: budget,
		}
		e, err := op.Prepare(&p)
		if err != nil {
			failed = append(failed, err)
			if err := budget.Spend(1, errorBytes); err != nil {
				failed = append(failed, err)
				break
			}
			continue
		}
		m.steps[i] = step{e, p.Scratch, p.MACs, p.Alias}
		m.macs += p.MACs
	}
	if failed != nil {
		return failed
	}
	return nil
}

// checkFlow checks that every tensor has exactly one source: the file, the
// caller, an earlier operator, or (variables) earlier inferences.
func (m *Model) checkFlow() error {
	g := m.graph
	written := make([]bool, len(g.Tensors))
	for i := range g.Tensors {
		written[i] = g.Tensors[i].Data != nil || g.Tensors[i].Variable
	}
	for _, t := range g.Inputs {
		if g.Tensors[t].Data != nil {
			return fmt.Errorf("input %q: %w: it is a constant", g.Tensors[t].Name, ErrMalformed)
		}
		written[t] = true
	}
	for i := range g.Operators {
		o := &g.Operators[i]
		for _, t := range o.Inputs {
			if t != tflite.NoTensor && !written[t] && !empty(&g.Tensors[t]) {
				return fmt.Errorf("operator %d %s: tensor %q: %w: read before it is written", i, o.Name(), g.Tensors[t].Name, ErrMalformed)
			}
		}
		for _, t := range o.Outputs {
			if written[t] {
				return fmt.Errorf("operator %d %s: tensor %q: %w: written twice", i, o.Name(), g.Tensors[t].Name, ErrMalformed)
			}
			written[t] = true
		}
	}
	for _, t := range g.Outputs {
		if !written[t] {
			return fmt.Errorf("output %q: %w: never written", g.Tensors[t].Name, ErrMalformed)
		}
	}
	return nil
}

// empty reports whether a tensor has no elements, so that a constant of it has
// no data either.
func empty(t *tflite.Tensor) bool {
	n, ok := t.Shape.Elements()
	return ok && n == 0
}

// alignConstants copies constants of wider elements that do not lie at an
// address which their type needs. Converters align them; hostile or cut-out
// files may not.
func (m *Model) alignConstants(budget *tflite.Budget) error {
	for i := range m.graph.Tensors {
		t := &m.graph.Tensors[i]
		size := t.Type.Bits() / 8
		if size <= 1 || len(t.Data) == 0 || uintptr(unsafe.Pointer(unsafe.SliceData(t.Data)))%uintptr(size) == 0 {
			continue
		}
		if err := budget.Spend(len(t.Data), 1); err != nil {
			return fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		t.Data = append(make([]byte, 0, len(t.Data)), t.Data...)
	}
	return nil
}

// MACs is the number of multiply-accumulate operations of one inference.
func (m *Model) MACs() int64 { return m.macs }

// ArenaBytes is the memory for tensors that each session takes.
func (m *Model) ArenaBytes() int { return m.shared.size }

// Kernels is the name of the kernel set in use.
func (m *Model) Kernels() string { return m.kernels.Name }

// Inputs describes the model's inputs.
func (m *Model) Inputs() []TensorInfo { return describeAll(m.graph.Tensors, m.graph.Inputs) }

// Outputs describes the model's outputs.
func (m *Model) Outputs() []TensorInfo { return describeAll(m.graph.Tensors, m.graph.Outputs) }

// Stateful reports whether the model remembers anything between inferences.
func (m *Model) Stateful() bool {
	for i := range m.graph.Tensors {
		if m.graph.Tensors[i].Variable {
			return true
		}
	}
	return false
}
