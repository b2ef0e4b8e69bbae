package update

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"kedge/runtime"
	"kedge/telemetry/trust"
)

func loadModel(file []byte, maxArena int) (*runtime.Model, error) {
	m, err := runtime.Load(file, runtime.Options{MaxArena: maxArena})
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", trust.FileModel, ErrUnsupported, err)
	}
	return m, nil
}

// compareModel reports where the model is not what the release and the bundle say of it.
func compareModel(m *runtime.Model, rel *trust.Release, b *trust.Bundle) error {
	inputs, outputs := m.Inputs(), m.Outputs()
	if err := compareOperands("input", inputs, rel.Inputs); err != nil {
		return err
	}
	if err := compareOperands("output", outputs, rel.Outputs); err != nil {
		return err
	}
	var features []json.RawMessage
	if err := json.Unmarshal(b.Features, &features); err != nil {
		return fmt.Errorf("%s: %w: %w", trust.FileFeatures, ErrMismatch, err)
	}
	if want := elements(inputs); len(features) != want {
		return fmt.Errorf("%s: %d features for %d inputs: %w", trust.FileFeatures, len(features), want, ErrMismatch)
	}
	if got, want := len(b.Manifest.Labels), elements(outputs); got != 0 && got != want {
		return fmt.Errorf("%s: %d labels for %d outputs: %w", trust.FileManifest, got, want, ErrMismatch)
	}
	return nil
}

func compareOperands(kind string, have []runtime.TensorInfo, signed []trust.Operand) error {
	if len(have) != len(signed) {
		return fmt.Errorf("model has %d %ss, release %d: %w", len(have), kind, len(signed), ErrMismatch)
	}
	for i, t := range have {
		if t.Type.String() != signed[i].Type || !slices.Equal(t.Shape, signed[i].Shape) {
			return fmt.Errorf("%s %d is %v%v, release says %.16s%v: %w", kind, i, t.Type, t.Shape, signed[i].Type, signed[i].Shape, ErrMismatch)
		}
	}
	return nil
}

// elements counts the elements of all tensors. The runtime has checked that
// they fit into memory.
func elements(tensors []runtime.TensorInfo) int {
	total := 0
	for _, t := range tensors {
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		total += n
	}
	return total
}

func sumBytes(tensors []runtime.TensorInfo) int {
	total := 0
	for _, t := range tensors {
		total += t.Bytes
	}
	return total
}

// selfTest computes every golden sample and compares byte for byte. It proves
// that this board computes this model as the lab did.
func selfTest(ctx context.Context, m *runtime.Model, b *trust.Bundle) error {
	n, in, out := b.Manifest.GoldenSamples, sumBytes(m.Inputs()), sumBytes(m.Outputs())
	if len(b.GoldenInput)/n != in || len(b.GoldenOutput)/n != out {
		return fmt.Errorf("golden samples of %d and %d bytes, the model takes %d and gives %d: %w",
			len(b.GoldenInput)/n, len(b.GoldenOutput)/n, in, out, ErrMismatch)
	}
	session, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w: %w", trust.FileModel, ErrUnsupported, err)
	}
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := goldenSample(session, b.GoldenInput[i*in:(i+1)*in], b.GoldenOutput[i*out:(i+1)*out]); err != nil {
			return fmt.Errorf("golden sample %d of %d: %w", i, n, err)
		}
	}
	return nil
}

// goldenSample runs one sample: its tensors lie one after another in input and want.
func goldenSample(s runtime.Invoker, input, want []byte) error {
	s.Reset() // every sample begins from the model's initial state
	for i := range s.Inputs() {
		input = input[copy(s.Input(i), input):]
	}
	if err := s.Invoke(); err != nil {
		return errors.Join(ErrGolden, err)
	}
	at := 0
	for i := range s.Outputs() {
		for _, got := range s.Output(i) {
			if got != want[at] {
				return fmt.Errorf("output byte %d is 0x%02x, want 0x%02x: %w", at, got, want[at], ErrGolden)
			}
			at++
		}
	}
	return nil
}
