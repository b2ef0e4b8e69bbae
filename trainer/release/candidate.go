package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kedge/agent/drift"
	"kedge/agent/drift/inputs"
	"kedge/agent/drift/signal"
	"kedge/runtime"
	"kedge/runtime/feature"
	"kedge/telemetry/trust"
	"kedge/telemetry/wire"
)

// SignalTop1 names the signal of a classifier: the highest class probability.
const SignalTop1 = "top1"

// A Candidate is a model with everything that a device needs to run it.
type Candidate struct {
	Name     string   // of the model; versions count per name
	Labels   []string // names of the classes, in the order of the output
	Model    []byte   // a .tflite file
	Features []byte   // features.json of the bundle
	// Reference is the signal on samples that the model was not trained on.
	Reference drift.Reference
	// Signals are watched beside the confidence, Inputs are what the features looked
	// like in training; nil: neither.
	Signals []Watched
	Inputs  *inputs.Reference
	// Context is that of the references, which then hold its values; nil for none.
	Context *trust.Context
	// Threshold is for estimates of the accuracy without labels; may be nil.
	Threshold *trust.Accuracy
	// Golden holds input samples, raw little-endian tensors one after another. If
	// it is nil they are made of GoldenRows, rows of features as a sensor gives
	// them. What the model makes of them is computed here.
	Golden     []byte
	GoldenRows [][]float64
	MinAgent   string // oldest agent that can run it; empty for any

	Weights  []byte  // the network before quantization, kept beside the release; may be nil
	Accuracy float64 // on samples that it was not trained on; NaN if unknown
}

// prepared is a checked candidate.
type prepared struct {
	bundle          trust.Bundle
	operators       []string
	inputs, outputs []trust.Operand
}

// prepare loads the model as a device will and computes the golden output.
func (c *Candidate) prepare() (*prepared, error) {
	if err := wire.CheckName(c.Name); err != nil {
		return nil, unfit(PartName, "%.80q: want 1 to 64 letters, digits, dots, underscores or hyphens, beginning with a letter or digit", c.Name)
	}
	model, err := runtime.Load(c.Model, runtime.Options{})
	if err != nil {
		return nil, unfit(PartModel, "%w", err)
	}
	p := &prepared{inputs: operands(model.Inputs()), outputs: operands(model.Outputs())}
	if p.operators, err = operators(c.Model); err != nil {
		return nil, err
	}
	if len(c.Labels) != elements(p.outputs) {
		return nil, unfit(PartLabels, "%d labels for %d outputs", len(c.Labels), elements(p.outputs))
	}
	features, err := c.features(p.inputs)
	if err != nil {
		return nil, err
	}
	if c.Context != nil {
		if _, err := signal.ParseContext(c.Context.Key, c.Context.Edges, names(c.Features)); err != nil {
			return nil, unfit(PartFeatures, "%w", err)
		}
	}
	reference, err := c.reference()
	if err != nil {
		return nil, err
	}
	input := c.Golden
	if input == nil {
		if input, err = encodeRows(model, features, c.GoldenRows); err != nil {
			return nil, err
		}
	}
	output, n, err := golden(model, input)
	if err != nil {
		return nil, err
	}
	p.bundle = trust.Bundle{
		Manifest: trust.Manifest{Format: 1, Name: c.Name, Labels: c.Labels, Signal: SignalTop1, Context: c.Context, Accuracy: c.Threshold, GoldenSamples: n},
		Model:    c.Model, Features: c.Features, Reference: reference, GoldenInput: input, GoldenOutput: output,
	}
	if err := c.watch(&p.bundle); err != nil {
		return nil, err
	}
	return p, nil
}

// names are those of the features in a declaration that was checked.
func names(declared []byte) []string {
	var set feature.Set
	if err := json.Unmarshal(declared, &set); err != nil {
		return nil
	}
	names := make([]string, len(set))
	for i, c := range set {
		names[i] = c.Name
	}
	return names
}

// reference checks and encodes the reference.
func (c *Candidate) reference() ([]byte, error) {
	if err := checkReference(c.Reference); err != nil {
		return nil, err
	}
	return json.Marshal(c.Reference)
}

func checkReference(ref drift.Reference) error {
	if err := ref.Validate(); err != nil {
		return unfit(PartReference, "%w", err)
	}
	if ref.N < drift.MinReference {
		return unfit(PartReference, "reference of %d samples, want at least %d", ref.N, drift.MinReference)
	}
	return nil
}

// features reads the declaration of the inputs and compares it with the model's.
func (c *Candidate) features(inputs []trust.Operand) (*feature.Tabular, error) {
	var set feature.Set
	if err := json.Unmarshal(c.Features, &set); err != nil {
		return nil, unfit(PartFeatures, "%w", jsonFinding(err))
	}
	if len(set) != elements(inputs) {
		return nil, unfit(PartFeatures, "%d features for %d inputs", len(set), elements(inputs))
	}
	compiled, err := feature.Compile(set)
	if err != nil {
		return nil, unfit(PartFeatures, "%w", err)
	}
	return compiled, nil
}

// encodeRows makes the bytes of the model's input out of each row, as a device does.
func encodeRows(model *runtime.Model, features *feature.Tabular, rows [][]float64) ([]byte, error) {
	in := model.Inputs()
	if len(in) != 1 || in[0].Type != runtime.Int8 || len(in[0].Scales) != 1 || len(in[0].ZeroPoints) > 1 {
		return nil, unfit(PartModel, "want a single int8 input with one scale")
	}
	zeroPoint := int32(0)
	if len(in[0].ZeroPoints) == 1 {
		zeroPoint = in[0].ZeroPoints[0]
	}
	x := make([]float32, features.Len())
	var all []byte
	for i, row := range rows {
		if err := features.Apply(x, row); err != nil {
			return nil, unfit(PartGolden, "row %d: %w", i, err)
		}
		q := make([]byte, len(x))
		if err := feature.Quantize(q, x, in[0].Scales[0], zeroPoint); err != nil {
			return nil, unfit(PartGolden, "row %d: %w", i, err)
		}
		all = append(all, q...)
	}
	return all, nil
}

// golden runs the model on the samples, each from a fresh state, and returns
// what came out and how many samples there were.
func golden(model *runtime.Model, input []byte) (output []byte, n int, err error) {
	session, err := model.NewSession(runtime.SessionOptions{})
	if err != nil {
		return nil, 0, fmt.Errorf("model: %w", err)
	}
	size := 0
	for _, t := range session.Inputs() {
		size += t.Bytes
	}
	if size == 0 || len(input) == 0 || len(input)%size != 0 {
		return nil, 0, unfit(PartGolden, "golden input of %d bytes, want a multiple of %d and not 0", len(input), size)
	}
	for ; len(input) > 0; n++ {
		session.Reset()
		for i := range session.Inputs() {
			input = input[copy(session.Input(i), input):]
		}
		if err := session.Invoke(); err != nil {
			return nil, 0, unfit(PartModel, "golden sample %d: %w", n, err)
		}
		for i := range session.Outputs() {
			output = append(output, session.Output(i)...)
		}
	}
	return output, n, nil
}

// operators lists the operators of a model by name, each once, in the order of
// their first use.
func operators(file []byte) ([]string, error) {
	report, err := runtime.Inspect(file, runtime.Options{})
	if err != nil {
		return nil, unfit(PartModel, "%w", err)
	}
	var names []string
	for _, o := range report.Operators {
		if !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	return names, nil
}

// jsonFinding says in plain words what is wrong with JSON text.
func jsonFinding(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := ""
		if e.Field != "" {
			where = fmt.Sprintf(" in %q", e.Field)
		}
		return fmt.Errorf("byte %d: %s%s where something else belongs", e.Offset, e.Value, where)
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("byte %d: no valid JSON", e.Offset)
	}
	return err
}

func operands(tensors []runtime.TensorInfo) []trust.Operand {
	all := make([]trust.Operand, 0, len(tensors))
	for _, t := range tensors {
		all = append(all, trust.Operand{Type: t.Type.String(), Shape: t.Shape})
	}
	return all
}

func elements(operands []trust.Operand) int {
	total := 0
	for _, o := range operands {
		n := 1
		for _, d := range o.Shape {
			n *= d
		}
		total += n
	}
	return total
}
