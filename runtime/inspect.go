package runtime

import (
	"cmp"
	"errors"
	"unsafe"

	"kedge/runtime/op"
	"kedge/runtime/tflite"
)

// Report describes a model, whether or not it can run here.
type Report struct {
	FileBytes   int            `json:"file_bytes"`
	WeightBytes int            `json:"weight_bytes"` // constants of the tensors below
	Inputs      []TensorReport `json:"inputs"`
	Outputs     []TensorReport `json:"outputs"`
	Operators   []OpReport     `json:"operators"` // of the main subgraph, as tensors are
	Tensors     []TensorReport `json:"tensors"`
	Called      []CalledReport `json:"called"`      // the subgraphs that operators call
	MACs        *int64         `json:"macs"`        // nil when an operator cannot run
	ArenaBytes  *int           `json:"arena_bytes"` // nil when the model cannot run
	Kernels     string         `json:"kernels"`
	Numerics    string         `json:"numerics"` // what defines the results
	// Memory is where everything lies in the arena; nil when an operator cannot
	// run. When only the arena's limit is in the way, it is what would be needed.
	Memory *MemoryReport `json:"memory"`
	// Unsupported says for every operator that cannot run why; empty when the
	// model can be loaded.
	Unsupported []Finding `json:"unsupported"`
}

// Finding is why one operator cannot run.
type Finding struct {
	Subgraph int    `json:"subgraph"` // 0 is the main one
	Operator int    `json:"operator"` // its index; -1 where the search for more ended
	Name     string `json:"name"`
	Tensor   string `json:"tensor"` // the tensor concerned, or the operator's first
	Found    string `json:"found"`
	Wanted   string `json:"wanted"` // empty where nothing would do
	Text     string `json:"-"`      // all of it in one line
}

func finding(err error) Finding {
	e, ok := errors.AsType[*op.Error](err)
	if !ok {
		return Finding{Operator: -1, Found: err.Error(), Text: err.Error()}
	}
	return Finding{e.Subgraph, e.Index, e.Operator, e.Tensor, e.Found, e.Want, err.Error()}
}

// TensorReport is one tensor.
type TensorReport struct {
	TensorInfo
	Type     string `json:"dtype"`
	Constant bool   `json:"constant"`
	Variable bool   `json:"variable"`
	// Sparsity is the part of its elements, all 0, that the compressed form of a
	// constant leaves out, 0 to 1; nil for one that is not compressed.
	Sparsity *float64 `json:"sparsity,omitempty"`
}

// CalledReport is a subgraph that an operator of the main one runs, once, before
// the first inference. What it computes lies in that operator's scratch.
type CalledReport struct {
	Subgraph  int            `json:"subgraph"` // its index in the file
	Operator  int            `json:"operator"` // which calls it
	Operators []OpReport     `json:"operators"`
	Tensors   []TensorReport `json:"tensors"`
	Memory    *MemoryReport  `json:"memory"` // as Report.Memory
}

// OpReport is one operator; Inputs and Outputs are indices into Tensors, -1 for
// an optional input that is not given.
type OpReport struct {
	Index   int    `json:"index"`
	Name    string `json:"name"`
	Inputs  []int  `json:"inputs"`
	Outputs []int  `json:"outputs"`
	Shape   []int  `json:"shape"`  // of the first output
	Kernel  string `json:"kernel"` // what computes it, see op.KernelOf; empty when it cannot run
	MACs    *int64 `json:"macs"`   // nil when it cannot run
}

// Inspect describes the model in file. The error is nil when Load would
// succeed. With an error that wraps ErrUnsupported, ErrInvalid, ErrWork or
// ErrArena the report is returned beside it; with any other it is nil.
func Inspect(file []byte, o Options) (*Report, error) {
	m, err := prepare(file, o)
	var bad operatorErrors
	if m == nil || err != nil && !errors.As(err, &bad) {
		return nil, err
	}
	r := &Report{FileBytes: len(file), Kernels: m.Kernels(), Numerics: m.Numerics(), Unsupported: []Finding{}}
	for _, e := range bad {
		r.Unsupported = append(r.Unsupported, finding(e))
	}
	r.describe(m)
	if err != nil {
		return r, err
	}
	r.MACs = &m.macs
	l, err := m.arrange(SessionOptions{})
	if err == nil {
		r.ArenaBytes = &l.size
	}
	if l.tensors != nil { // also where there is a plan that needs too much
		r.place(m, &l)
	}
	return r, cmp.Or(m.checkWork(), err)
}

func (r *Report) describe(m *Model) {
	r.Operators, r.Tensors = m.program.describe()
	r.Called = []CalledReport{}
	for i := range m.steps {
		if init := m.steps[i].init; m.steps[i].Evaluator != nil && init >= 0 {
			c := CalledReport{Subgraph: m.inits[init].index, Operator: i}
			c.Operators, c.Tensors = m.inits[init].describe()
			r.Called = append(r.Called, c)
		}
	}
	counted := map[*byte]bool{} // DENSIFY gives its input on
	for i := range m.graph.Tensors {
		if data := m.graph.Tensors[i].Data; !counted[unsafe.SliceData(data)] {
			counted[unsafe.SliceData(data)] = true
			r.WeightBytes += len(data)
		}
	}
	g := m.graph
	r.Inputs, r.Outputs = []TensorReport{}, []TensorReport{}
	for _, t := range g.Inputs {
		r.Inputs = append(r.Inputs, r.Tensors[t])
	}
	for _, t := range g.Outputs {
		r.Outputs = append(r.Outputs, r.Tensors[t])
	}
}

// place reports the layout of the main subgraph and of those that it calls.
func (r *Report) place(m *Model, l *layout) {
	r.Memory = l.report(&m.program, m.variables.List, 0)
	for i := range r.Called {
		at := r.Called[i].Operator
		init := m.steps[at].init
		r.Called[i].Memory = l.inits[init].report(&m.inits[init], nil, l.scratch[at].offset)
	}
}

func (p *program) describe() ([]OpReport, []TensorReport) {
	tensors := make([]TensorReport, len(p.graph.Tensors))
	for i := range tensors {
		tensors[i] = reportTensor(&p.graph.Tensors[i], i)
	}
	operators := make([]OpReport, len(p.graph.Operators))
	for i := range operators {
		o := &p.graph.Operators[i]
		operators[i] = OpReport{Index: i, Name: o.Name(), Inputs: o.Inputs, Outputs: o.Outputs, Shape: []int{}}
		if len(o.Outputs) > 0 && o.Outputs[0] >= 0 {
			operators[i].Shape = append(operators[i].Shape, p.graph.Tensors[o.Outputs[0]].Shape...)
		}
		if s := &p.steps[i]; s.Evaluator != nil {
			operators[i].MACs, operators[i].Kernel = &s.macs, op.KernelOf(s.Evaluator)
		}
	}
	return operators, tensors
}

// Operators describes the operators of the model's main subgraph.
func (m *Model) Operators() []OpReport {
	operators, _ := m.program.describe()
	return operators
}

func reportTensor(t *tflite.Tensor, i int) TensorReport {
	info := describe(t, i)
	if info.Shape == nil {
		info.Shape = []int{}
	}
	r := TensorReport{TensorInfo: info, Type: t.Type.String(), Constant: t.Data != nil, Variable: t.Variable}
	if t.Sparsity != nil {
		left := t.Sparsity.Fraction()
		r.Sparsity = &left
	}
	return r
}
