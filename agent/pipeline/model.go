package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kedge/agent/drift"
	"kedge/agent/drift/estimate"
	"kedge/agent/drift/inputs"
	"kedge/agent/drift/signal"
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

// ModelOptions are the parts of a bundle that answer samples together.
type ModelOptions struct {
	Invoker  runtime.Invoker // one input, one output
	Logits   Tensor          // what goes into the final softmax, where a signal needs it
	Features []byte          // the bundle's features.json
	Labels   []string        // one for each output; none if no signal needs classes
	// Signals are watched side by side, at least one. The first one's state is that
	// of the model, while no other raises an alarm.
	Signals []SignalOptions
	// Inputs is what the features looked like in training, in their order; nil: they
	// are not watched.
	Inputs *inputs.Reference
	// Context is that of the references; nil for none.
	Context *signal.Context
	// ATC is for estimates of the accuracy; nil: only its loss is estimated, and only if
	// signal.Top1 is watched.
	ATC *estimate.ATC
	// Drift configures the monitors. Its Reference is not used, and its run length is
	// that of all watches together.
	Drift drift.Options
}

// A Tensor is a tensor that can be read after an inference.
type Tensor struct {
	Info   runtime.TensorInfo
	Memory []byte
}

// Open makes what runs a model whose signals are the given ones.
func Open(model *runtime.Model, signals []SignalOptions) (runtime.Invoker, Tensor, error) {
	var o runtime.SessionOptions
	var logits Tensor
	for _, s := range signals {
		if !s.Signal.NeedsLogits() {
			continue
		}
		var ok bool
		if logits.Info, ok = model.Logits(); !ok {
			return nil, logits, fmt.Errorf("signal %q of a model that does not end in a softmax: %w", s.Signal.Name, ErrModel)
		}
		o.Keep = []int{logits.Info.Index}
	}
	session, err := model.NewSession(o)
	if err != nil {
		return nil, logits, err
	}
	if o.Keep != nil {
		logits.Memory = session.Tensor(logits.Info.Index)
		if len(logits.Memory) != logits.Info.Bytes {
			return nil, logits, fmt.Errorf("what goes into the softmax is in no memory: %w", ErrModel)
		}
	}
	return session, logits, nil
}

// A Model is a model with its features, its labels and the watch over it.
type Model struct {
	invoker runtime.Invoker
	names   []string
	labels  []string
	table   *feature.Tabular
	input   codec
	output  codec
	logits  codec
	tensor  Tensor // the logits

	raw       []float64 // of the latest sample
	features  []float32 // the same, standardized
	inference signal.Inference
	stats     *stats
	atc       *estimate.ATC
	window    estimate.Window // of confidences

	context     *signal.Context
	where       string   // context of the latest sample
	watches     []*watch // at least one
	inputs      *inputWatch
	given       []drift.Reference // what the watches began with
	givenInputs *inputs.Reference
	arl         float64  // of all watches together
	alarms      int64    // samples at which any watch raised one
	just        bool     // the latest sample raised the first one
	muted       []latest // by watch; nil while they watch
}

// NewModel checks that the parts fit together. Thresholds are computed here,
// which takes some milliseconds.
func NewModel(o ModelOptions) (*Model, error) {
	if len(o.Signals) == 0 {
		return nil, fmt.Errorf("no signal: %w", ErrModel)
	}
	in, out := o.Invoker.Inputs(), o.Invoker.Outputs()
	if len(in) != 1 || len(out) != 1 {
		return nil, fmt.Errorf("%d inputs and %d outputs, want one of each: %w", len(in), len(out), ErrModel)
	}
	m := &Model{invoker: o.Invoker, tensor: o.Logits, labels: o.Labels, givenInputs: o.Inputs, atc: o.ATC, context: o.Context}
	var err error
	if err = m.compile(o.Features); err != nil {
		return nil, err
	}
	if m.input, err = newCodec(in[0], len(m.names), "features"); err != nil {
		return nil, err
	}
	if err := m.openOutput(&o, out[0]); err != nil {
		return nil, err
	}
	m.raw, m.features = make([]float64, len(m.names)), make([]float32, len(m.names))
	if err := m.openWatches(&o); err != nil {
		return nil, err
	}
	for _, s := range o.Signals {
		m.given = append(m.given, s.Reference)
	}
	m.stats = newStats(len(m.labels), len(m.names))
	return m, nil
}

// openOutput checks that the output is what the signals and labels are of.
func (m *Model) openOutput(o *ModelOptions, out runtime.TensorInfo) (err error) {
	n, what := len(m.labels), "labels"
	classes := slices.ContainsFunc(o.Signals, func(s SignalOptions) bool { return s.Signal.NeedsClasses() })
	if n == 0 && !classes {
		n, what = elements(out), "outputs"
	}
	if m.output, err = newCodec(out, n, what); err != nil {
		return err
	}
	for _, s := range o.Signals {
		if err := s.Signal.Fits(len(m.names), n); err != nil {
			return fmt.Errorf("%w: %w", ErrModel, err)
		}
		if s.Signal.Name != signal.Top1 || n != len(m.labels) {
			m.inference.Output = make([]float64, n)
		}
		if s.Signal.NeedsInput() {
			m.inference.Input = make([]float64, len(m.names))
		}
		if !s.Signal.NeedsLogits() {
			continue
		}
		if m.logits, err = newCodec(o.Logits.Info, n, "logits"); err != nil {
			return err
		}
		m.inference.Logits = make([]float64, n)
	}
	return nil
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

// infer computes the class and its probability, and every signal. A model without
// classes has class -1 and its first signal for a probability.
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
	if len(m.labels) == 0 {
		m.measure(0)
		if p := m.watches[0].value; p != p {
			return 0, 0, fmt.Errorf("signal %s is no number: %w", m.watches[0].signal.Name, ErrOutput)
		}
		return -1, m.watches[0].value, nil
	}
	class, probability = m.output.highest(m.invoker.Output(0))
	// A softmax gives 0 to 1 by construction; float rounding may exceed it a bit.
	if !(probability >= 0 && probability <= 1+1e-6) {
		return 0, 0, fmt.Errorf("class %s: %g: %w", m.labels[class], probability, ErrOutput)
	}
	probability = min(probability, 1)
	m.measure(probability)
	return class, probability, nil
}

// measure computes every signal of the latest inference.
func (m *Model) measure(probability float64) {
	if m.inference.Output != nil {
		m.output.decode(m.inference.Output, m.invoker.Output(0))
	}
	if m.inference.Logits != nil {
		m.logits.decode(m.inference.Logits, m.tensor.Memory)
	}
	if m.inference.Input != nil {
		for i, v := range m.features {
			m.inference.Input[i] = float64(v)
		}
	}
	for _, w := range m.watches {
		if w.signal.Name == signal.Top1 && len(m.labels) > 0 {
			w.value = probability
		} else {
			w.value = w.signal.Value(&m.inference)
		}
	}
}
