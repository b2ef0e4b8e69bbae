package report

import (
	"context"

	"kedge/quant/calib"
	"kedge/quant/eval"
	"kedge/quant/ptq"
	"kedge/quant/search"
	"kedge/runtime/tensor"
)

// defaultSamples is how many samples single layers are tried on.
const defaultSamples = 32

// sensitivity quantizes the network as the file is, and once more for every layer
// that multiplies with that one in float.
func (m *making) sensitivity(ctx context.Context) error {
	o := search.Options{PTQ: m.asTheFile(), Samples: m.options.SensitivitySamples, Progress: m.options.progress("trying single layers")}
	if o.Samples < 0 {
		return nil
	}
	if o.Samples == 0 {
		o.Samples = defaultSamples
	}
	ranges, err := m.Statistics.Ranges(calib.MinMax())
	if err != nil {
		return err
	}
	recording, err := eval.Record(ctx, m.reference, m.Set, eval.Options{})
	if err != nil {
		return err
	}
	whole, err := search.Apply(ctx, m.Float, m.Statistics, recording, calib.MinMax(), o)
	if err != nil {
		return err
	}
	m.report.Baseline, m.report.SensitivitySamples = finite(whole.Base), whole.Samples
	found, err := search.Sensitivity(ctx, m.Float, ranges, recording, o)
	if err != nil {
		return err
	}
	for _, s := range found {
		l := &m.report.Layers[m.layerOfNode[s.Node]]
		l.Sensitivity, l.Gain = finite(s.SQNR), finite(s.SQNR-whole.Base)
	}
	return nil
}

// asTheFile are the options that come nearest to how the file was made.
func (m *making) asTheFile() ptq.Options {
	o := ptq.Options{Activations: tensor.Int8, Types: map[int]tensor.Type{}}
	wide, narrow := 0, 0
	for i := range m.report.Layers {
		l := &m.report.Layers[i]
		wide += one(l.Type == tensor.Int16.String())
		narrow += one(l.Type == tensor.Int8.String())
		if w := l.Weights; w != nil && len(w.Scales) == 1 && len(w.Ranges) > 1 {
			if l.Operator == "FULLY_CONNECTED" {
				o.PerTensor = true
			} else {
				o.PerTensorConv = true
			}
		}
	}
	if wide > narrow {
		o.Activations = tensor.Int16
	}
	for i := range m.report.Layers {
		l := &m.report.Layers[i]
		if l.MACs == 0 {
			continue
		}
		for _, t := range []tensor.Type{tensor.Float32, tensor.Int8, tensor.Int16} {
			if t != o.Activations && l.Type == t.String() {
				o.Types[l.Index] = t
			}
		}
	}
	// Without a match the ranges of the samples have to do.
	if given, err := ptq.Like(m.Float, m.integer); err == nil && o.Activations == tensor.Int8 {
		o.Given = given
	}
	return o
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
