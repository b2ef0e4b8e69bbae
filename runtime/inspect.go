package runtime

import (
	"errors"

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
	MACs        int64          `json:"macs"`        // of the operators that can run
	ArenaBytes  int            `json:"arena_bytes"` // 0 when the model cannot run
	Kernels     string         `json:"kernels"`
	// Unsupported says for every operator that cannot run why; empty when the
	// model can be loaded.
	Unsupported []string `json:"unsupported"`
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
	MACs    int64  `json:"macs"`
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
	r := &Report{FileBytes: len(file), Kernels: m.Kernels(), MACs: m.macs, Unsupported: []string{}}
	for _, e := range bad {
		r.Unsupported = append(r.Unsupported, e.Error())
	}
	r.describe(m)
	if err == nil {
		var l layout
		l, err = m.layOut(false)
		r.ArenaBytes = l.size
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
		r.Operators[i] = OpReport{i, o.Name(), o.Inputs, o.Outputs, m.steps[i].macs}
	}
}

func reportTensor(t *tflite.Tensor, i int) TensorReport {
	info := describe(t, i)
	if info.Shape == nil {
		info.Shape = []int{}
	}
	return TensorReport{TensorInfo: info, Type: t.Type.String(), Constant: t.Data != nil, Variable: t.Variable}
}
