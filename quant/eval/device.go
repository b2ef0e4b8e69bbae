package eval

import (
	"fmt"
	"slices"

	"kedge/runtime"
)

// deviceModel runs a .tflite file as a device does.
type deviceModel struct {
	parts
	model *runtime.Model
}

// Device loads a .tflite file into package runtime. Errors match ErrModel or
// are package runtime's.
func Device(file []byte) (Model, error) {
	m, err := runtime.Load(file, runtime.Options{})
	if err != nil {
		return nil, err
	}
	s, err := m.NewSession(runtime.SessionOptions{Separate: true})
	if err != nil {
		return nil, err
	}
	for _, t := range slices.Concat(s.Inputs(), s.Outputs()) {
		if !convertible(t) {
			return nil, fmt.Errorf("%w: %q is %v with %d scales, want float32 or integers of one scale", ErrModel, t.Name, t.Type, len(t.Scales))
		}
	}
	reports := m.Operators()
	operators := make([]operator, len(reports))
	for i, o := range reports {
		operators[i] = operator{o.Name, o.Inputs, o.Outputs}
	}
	p, err := newParts(inOrder(s, operators), indices(s.Inputs()), indices(s.Outputs()), operators)
	if err != nil {
		return nil, err
	}
	return &deviceModel{p, m}, nil
}

// inOrder lists what a session computes in execution order, inputs first.
func inOrder(s *runtime.Session, operators []operator) []Tensor {
	computed := make(map[int]runtime.TensorInfo)
	for _, t := range s.Computed() {
		computed[t.Index] = t
	}
	var out []Tensor
	add := func(list []int) {
		for _, index := range list {
			if t, ok := computed[index]; ok {
				out = append(out, Tensor{index, t.Name, t.Shape, t.Type})
				delete(computed, index)
			}
		}
	}
	add(indices(s.Inputs()))
	for _, o := range operators {
		add(o.outputs)
	}
	return out
}

func (m *deviceModel) NewSession(watch []int) (Session, error) {
	s, err := m.model.NewSession(runtime.SessionOptions{Keep: watch})
	if err != nil {
		return nil, err
	}
	d := &deviceSession{s: s, stateful: m.model.Stateful()}
	for _, t := range s.Computed() {
		if slices.Contains(watch, t.Index) && convertible(t) {
			d.watch = append(d.watch, t)
			d.buffer = make([]float32, max(len(d.buffer), elements(t)))
		}
	}
	for _, t := range s.Outputs() {
		d.outputs = append(d.outputs, make([]float32, elements(t)))
	}
	return d, nil
}

type deviceSession struct {
	s        *runtime.Session
	stateful bool
	watch    []runtime.TensorInfo
	buffer   []float32
	outputs  [][]float32
}

func (d *deviceSession) Run(inputs [][]float32, observe func(int, []float32)) ([][]float32, error) {
	if len(inputs) != len(d.s.Inputs()) {
		return nil, fmt.Errorf("%w: %d inputs given, the model has %d", ErrSamples, len(inputs), len(d.s.Inputs()))
	}
	if d.stateful {
		d.s.Reset() // a sample stands for itself
	}
	for i, info := range d.s.Inputs() {
		if want := elements(info); len(inputs[i]) != want {
			return nil, fmt.Errorf("%w: %d values for input %q, which takes %d", ErrSamples, len(inputs[i]), info.Name, want)
		}
		encode(d.s.Input(i), info, inputs[i])
	}
	if observe != nil { // an Invoke may overwrite the inputs
		d.show(observe, true)
	}
	if err := d.s.Invoke(); err != nil {
		return nil, err
	}
	if observe != nil {
		d.show(observe, false)
	}
	for i, info := range d.s.Outputs() {
		decode(d.outputs[i], info, d.s.Output(i))
	}
	return d.outputs, nil
}

// show hands on the watched tensors that are inputs, or those that are not.
func (d *deviceSession) show(observe func(int, []float32), inputs bool) {
	for i := range d.watch {
		t := &d.watch[i]
		isInput := slices.ContainsFunc(d.s.Inputs(), func(in runtime.TensorInfo) bool { return in.Index == t.Index })
		if raw := d.s.Tensor(t.Index); isInput == inputs && len(raw) == t.Bytes {
			values := d.buffer[:elements(*t)]
			decode(values, *t, raw)
			observe(t.Index, values)
		}
	}
}

func indices(tensors []runtime.TensorInfo) []int {
	out := make([]int, len(tensors))
	for i, t := range tensors {
		out[i] = t.Index
	}
	return out
}
