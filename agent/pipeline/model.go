package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"

	"kedge/agent/drift"
	"kedge/runtime"
	"kedge/runtime/feature"
)

// Refusals of a model, and of a sample.
var (
	// ErrModel: the parts of a bundle do not fit together, or ask for what the
	// pipeline does not do.
	ErrModel = errors.New("unsuitable model")
	// ErrInput: the sample has not as many features as the model, or one that
	// the standardization cannot take.
	ErrInput = errors.New("unsuitable sample")
	// ErrOutput: the model did not compute a probability.
	ErrOutput = errors.New("model output is no probability")
)

// SignalTop1 is the signal that a bundle's manifest may ask for: the highest
// class probability.
const SignalTop1 = "top1"

// ModelOptions are the parts of a bundle that answer samples together.
type ModelOptions struct {
	Invoker  runtime.Invoker // one input, one output
	Features []byte          // the bundle's features.json
	Labels   []string        // one for each output
	Signal   string          // SignalTop1
	// Drift configures the monitor; its Reference is that of the bundle.
	Drift drift.Options
}

// A Model is a model with its features, its labels and the watch over it.
type Model struct {
	invoker runtime.Invoker
	names   []string
	labels  []string
	table   *feature.Tabular
	input   codec
	output  codec
	drift   drift.Options

	raw      []float64 // of the latest sample
	features []float32 // the same, standardized
	monitor  *drift.Monitor
	stats    *stats
}

// NewModel checks that the parts fit together. Thresholds are computed here,
// which takes some milliseconds.
func NewModel(o ModelOptions) (*Model, error) {
	if o.Signal != SignalTop1 {
		return nil, fmt.Errorf("signal %.40q, want %q: %w", o.Signal, SignalTop1, ErrModel)
	}
	in, out := o.Invoker.Inputs(), o.Invoker.Outputs()
	if len(in) != 1 || len(out) != 1 {
		return nil, fmt.Errorf("%d inputs and %d outputs, want one of each: %w", len(in), len(out), ErrModel)
	}
	m := &Model{invoker: o.Invoker, labels: o.Labels, drift: o.Drift}
	var err error
	if err = m.compile(o.Features); err != nil {
		return nil, err
	}
	if m.input, err = newCodec(in[0], len(m.names), "features"); err != nil {
		return nil, err
	}
	if m.output, err = newCodec(out[0], len(m.labels), "labels"); err != nil {
		return nil, err
	}
	if m.monitor, err = drift.New(o.Drift); err != nil {
		return nil, err
	}
	m.raw, m.features = make([]float64, len(m.names)), make([]float32, len(m.names))
	m.stats = newStats(len(m.labels), len(m.names))
	return m, nil
}

// compile reads features.json.
func (m *Model) compile(features []byte) error {
	var columns feature.Set
	if err := json.Unmarshal(features, &columns); err != nil {
		return fmt.Errorf("features: %w: %w", ErrModel, err)
	}
	var err error
	if m.table, err = feature.Compile(columns); err != nil {
		return fmt.Errorf("%w: %w", ErrModel, err)
	}
	m.names = make([]string, len(columns))
	for i, c := range columns {
		m.names[i] = c.Name
	}
	return nil
}

// Features names the inputs, in order. It must not be changed.
func (m *Model) Features() []string { return m.names }

// Labels names the classes, in order. It must not be changed.
func (m *Model) Labels() []string { return m.labels }

// Restore takes the state of the watch out of a Snapshot of the same model and
// reference, before the model is in service. The statistics that a report
// compares begin anew.
func (m *Model) Restore(snapshot []byte) error { return m.monitor.Restore(snapshot) }

// infer computes the class and its probability.
func (m *Model) infer(x []float32) (class int, probability float64, err error) {
	if len(x) != len(m.features) {
		return 0, 0, fmt.Errorf("%d features, want %d: %w", len(x), len(m.features), ErrInput)
	}
	for i, v := range x {
		m.raw[i] = float64(v)
	}
	if err := m.table.Apply(m.features, m.raw); err != nil {
		return 0, 0, fmt.Errorf("%w: %w", ErrInput, err)
	}
	if err := m.input.encode(m.invoker.Input(0), m.features); err != nil {
		return 0, 0, fmt.Errorf("%w: %w", ErrInput, err)
	}
	if err := m.invoker.Invoke(); err != nil {
		return 0, 0, fmt.Errorf("invoke: %w", err)
	}
	class, probability = m.output.highest(m.invoker.Output(0))
	// A softmax gives 0 to 1 by construction; float rounding may exceed it a bit.
	if !(probability >= 0 && probability <= 1+1e-6) {
		return 0, 0, fmt.Errorf("class %s: %g: %w", m.labels[class], probability, ErrOutput)
	}
	return class, min(probability, 1), nil
}
