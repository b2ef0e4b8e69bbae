package agent

import (
	"encoding/json"
	"fmt"

	"kedge/agent/drift"
	"kedge/agent/drift/inputs"
	"kedge/agent/drift/signal"
	"kedge/agent/pipeline"
	"kedge/telemetry/trust"
)

// maxInputs is how many features may be watched: the state of each takes up to 1 KiB
// of flash, again and again.
const maxInputs = 128

// signalsOf reads what a bundle wants watched; reference is that of the first signal.
// An unknown signal refuses the bundle: half a watch would look like a whole one.
func signalsOf(b *trust.Bundle, reference []byte) ([]pipeline.SignalOptions, error) {
	var others map[string]drift.Reference
	if b.References != nil {
		if err := json.Unmarshal(b.References, &others); err != nil {
			return nil, fmt.Errorf("%s: %w", trust.FileReferences, err)
		}
	}
	var all []pipeline.SignalOptions
	for i, s := range b.Manifest.Watched() {
		declared, err := signal.Parse(s.Name, s.Low, s.High, s.Falling)
		if err != nil {
			return nil, err
		}
		var ref drift.Reference
		if i == 0 {
			ref, err = parseReference(reference)
		} else if ref = others[s.Name]; ref.N == 0 {
			err = fmt.Errorf("%s: no reference of signal %q", trust.FileReferences, s.Name)
		} else {
			err = ref.Validate()
		}
		if err != nil {
			return nil, err
		}
		all = append(all, pipeline.SignalOptions{Signal: declared, Reference: ref})
	}
	return all, nil
}

// inputsOf reads the reference of the inputs; nil if the bundle has none.
func inputsOf(b *trust.Bundle) (*inputs.Reference, error) {
	if b.Inputs == nil {
		return nil, nil
	}
	var ref inputs.Reference
	err := json.Unmarshal(b.Inputs, &ref)
	if err == nil {
		err = ref.Validate()
	}
	if err == nil && len(ref.Features) > maxInputs {
		err = fmt.Errorf("%d features, at most %d can be watched", len(ref.Features), maxInputs)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", trust.FileInputs, err)
	}
	return &ref, nil
}

// contextOf reads the context that a bundle declares; nil for none.
func contextOf(b *trust.Bundle) (*signal.Context, error) {
	c := b.Manifest.Context
	if c == nil {
		return nil, nil
	}
	var features []struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(b.Features, &features); err != nil {
		return nil, fmt.Errorf("%s: %w", trust.FileFeatures, err)
	}
	names := make([]string, len(features))
	for i, f := range features {
		names[i] = f.Name
	}
	return signal.ParseContext(c.Key, c.Edges, names)
}
