package report

import (
	"context"

	"kedge/quant/calib"
	"kedge/quant/data"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime/tensor"
)

// defaultSamples is how many samples single layers are tried on.
const defaultSamples = 32

// sensitivity quantizes the network as the file is, and once more for every layer
// with that one in float.
func (m *making) sensitivity(ctx context.Context) error {
	set, err := m.fewSamples()
	if set == nil || err != nil {
		return err
	}
	o, err := m.asTheFile()
	if err != nil {
		return err
	}
	t := &trial{float: m.Float, options: o}
	if t.ranges, err = m.Statistics.Ranges(calib.MinMax()); err != nil {
		return err
	}
	if t.recording, err = eval.Record(ctx, m.reference, set, eval.Options{}); err != nil {
		return err
	}
	baseline, err := t.score(ctx, -1)
	if err != nil {
		return err
	}
	m.report.Baseline, m.report.SensitivitySamples = finite(baseline), set.Count
	step := m.options.progress("trying single layers")
	for i := range m.report.Layers {
		l := &m.report.Layers[i]
		if step != nil {
			step(i, len(m.report.Layers))
		}
		if moves(m.Float.Nodes[l.Index].Op) {
			continue
		}
		v, err := t.score(ctx, l.Index)
		if err != nil {
			return err
		}
		l.Sensitivity, l.Gain = finite(v), finite(v-baseline)
	}
	return nil
}

// trial is a network that is quantized in several ways.
type trial struct {
	float     *graph.Graph
	ranges    calib.Ranges
	options   ptq.Options
	recording *eval.Recording
}

// score is the logits' ratio with one node in float; −1 for none.
func (t *trial) score(ctx context.Context, node int) (float64, error) {
	o := t.options
	if node >= 0 {
		o.Types = map[int]tensor.Type{node: tensor.Float32}
	}
	g, err := ptq.Quantize(t.float, t.ranges, o)
	if err != nil {
		return 0, err
	}
	file, err := emit.Model(g)
	if err != nil {
		return 0, err
	}
	device, err := eval.Device(file)
	if err != nil {
		return 0, err
	}
	s, err := t.recording.Compare(ctx, device, eval.Options{})
	return s.Logits, err
}

// asTheFile are the options that come nearest to how the file was made.
func (m *making) asTheFile() (ptq.Options, error) {
	o := ptq.Options{Activations: tensor.Int8}
	wide, narrow, convWhole, denseWhole := 0, 0, 0, 0
	for i := range m.report.Layers {
		l := &m.report.Layers[i]
		switch l.Type {
		case tensor.Int16.String():
			wide++
		case tensor.Int8.String():
			narrow++
		}
		if w := l.Weights; w != nil && len(w.Scales) == 1 && len(w.Ranges) > 1 {
			if l.Operator == "FULLY_CONNECTED" {
				denseWhole++
			} else {
				convWhole++
			}
		}
	}
	o.PerTensor, o.PerTensorConv = denseWhole > 0, convWhole > 0
	if wide > narrow {
		o.Activations = tensor.Int16
		return o, nil
	}
	// Without a match the ranges of the samples have to do.
	if given, err := ptq.Like(m.Float, m.integer); err == nil {
		o.Given = given
	}
	return o, nil
}

// moves reports whether an operator gives on values as they are, so that keeping it
// in float changes nothing.
func moves(op graph.Op) bool {
	switch op.Name() {
	case "RESHAPE", "TRANSPOSE", "PAD", "PADV2", "MIRROR_PAD", "SLICE", "STRIDED_SLICE", "SPLIT", "SPLIT_V", "MAX_POOL_2D":
		return true
	}
	return false
}

// fewSamples picks some windows, evenly spread over all; nil where none are
// wanted. Each stands for a sample of its own.
func (m *making) fewSamples() (*eval.Set, error) {
	limit := m.options.SensitivitySamples
	if limit < 0 {
		return nil, nil
	}
	if limit == 0 {
		limit = defaultSamples
	}
	total := m.Set.Count * m.Set.Windows
	n := min(limit, total)
	var arrays []data.Array
	for i, values := range m.Set.Values() {
		size := len(values) / total
		var rows []float32
		for k := range n {
			at := k * total / n * size
			rows = append(rows, values[at:at+size]...)
		}
		arrays = append(arrays, data.FromFloat32s(rows, append([]int{n}, m.reference.Inputs()[i].Shape...)...))
	}
	return eval.NewSet(m.reference.Inputs(), arrays, nil)
}
