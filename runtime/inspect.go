package runtime

import (
	"errors"

	"kedge/runtime/op"
	"kedge/runtime/tflite"
)

// Report describes a model, whether or not it can run here.
type Report struct {
	FileBytes   int            `json:"file_bytes"`
	WeightBytes int            `json:"weight_bytes"` // constants of the tensors below
	Inputs      []TensorReport `json:"inputs"`
	Outputs     []TensorReport `json:"outputs"`
	Operators   []OpReport     `json:"operators"`
	Tensors     []TensorReport `json:"tensors"`
	MACs        *int64         `json:"macs"`        // nil when an operator cannot run
	ArenaBytes  *int           `json:"arena_bytes"` // nil when the model cannot run
	Kernels     string         `json:"kernels"`
	Numerics    string         `json:"numerics"` // what defines the results
	// Unsupported says for every operator that cannot run why; empty when the
	// model can be loaded.
	Unsupported []Finding `json:"unsupported"`
}

// Finding is why one operator cannot run.
type Finding struct {
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
	return Finding{e.Index, e.Operator, e.Tensor, e.Found, e.Want, err.Error()}
}

// TensorReport is one tensor.
type TensorReport struct {
	TensorInfo
	Type     string `json:"dtype"`
	Constant bool   `json:"constant"`
	Variable bool   `json:"variable"`
}

// OpReport is one operator; Inputs and Outputs are indices into Tensors, -1 for
// an optional input that is not given.
type OpReport struct {
	Index   int    `json:"index"`
	Name    string `json:"name"`
	Inputs  []int  `json:"inputs"`
	Outputs []int  `json:"outputs"`
	MACs    *int64 `json:"macs"` // nil when it cannot run
}

// Inspect describes the model in file. The error is nil when Load would
// succeed. With an error that wraps ErrUnsupported, ErrInvalid or ErrArena the
// report is returned beside it; with any other it is nil.
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
	l, err := m.layOut(false)
	if err == nil {
		r.ArenaBytes = &l.size
	}
	return r, err
}

func (r *Report) describe(m *Model) {
	g := m.graph
	r.Tensors = make([]TensorReport, len(g.Tensors))
	for i := range g.Tensors {
		r.Tensors[i] = reportTensor(&g.Tensors[i], i)
		r.WeightBytes += len(g.Tensors[i].Data)
	}
	r.Inputs, r.Outputs = []TensorReport{}, []TensorReport{}
	for _, t := range g.Inputs {
		r.Inputs = append(r.Inputs, r.Tensors[t])
	}
	for _, t := range g.Outputs {
		r.Outputs = append(r.Outputs, r.Tensors[t])
	}
	r.Operators = make([]OpReport, len(g.Operators))
	for i := range g.Operators {
		o := &g.Operators[i]
		r.Operators[i] = OpReport{Index: i, Name: o.Name(), Inputs: o.Inputs, Outputs: o.Outputs}
		if s := &m.steps[i]; s.Evaluator != nil {
			r.Operators[i].MACs = &s.macs
		}
	}
}

func reportTensor(t *tflite.Tensor, i int) TensorReport {
	info := describe(t, i)
	if info.Shape == nil {
		info.Shape = []int{}
	}
	return TensorReport{TensorInfo: info, Type: t.Type.String(), Constant: t.Data != nil, Variable: t.Variable}
}
