package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	"kedge/runtime"
)

// sampleCount is how many random samples the results are compared on.
const sampleCount = 8

// samples are inputs, one sample behind the other, with our outputs.
type samples struct {
	inputs, outputs []byte
	types           []runtime.DataType // of every byte of a sample's outputs
}

func newSamples(m *runtime.Model) (*samples, error) {
	session, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		return nil, err
	}
	s := &samples{}
	rng := rand.New(rand.NewPCG(1, 1))
	for range sampleCount {
		for i, in := range randomSample(session, rng) {
			s.inputs = append(s.inputs, in...)
			copy(session.Input(i), in)
		}
		if err := session.Invoke(); err != nil {
			return nil, err
		}
		for i := range session.Outputs() {
			s.outputs = append(s.outputs, session.Output(i)...)
		}
	}
	for i, t := range session.Outputs() {
		for range session.Output(i) {
			s.types = append(s.types, t.Type)
		}
	}
	return s, nil
}

// difference is how another runtime's outputs compare with ours.
type difference struct {
	Bytes  int `json:"bytes"`
	Differ int `json:"differ"`
	// Most is the greatest difference of two 8-bit values.
	Most int `json:"most"`
}

// differ compares outputs with ours.
func (s *samples) differ(outputs []byte) (difference, error) {
	d := difference{Bytes: len(s.outputs)}
	if len(outputs) != len(s.outputs) {
		return d, fmt.Errorf("got %d bytes of results, want %d", len(outputs), len(s.outputs))
	}
	if bytes.Equal(outputs, s.outputs) {
		return d, nil
	}
	for i, theirs := range outputs {
		ours := s.outputs[i]
		if ours == theirs {
			continue
		}
		d.Differ++
		by := 0
		switch s.types[i%len(s.types)] {
		case runtime.Int8:
			by = int(int8(ours)) - int(int8(theirs))
		case runtime.Uint8:
			by = int(ours) - int(theirs)
		}
		d.Most = max(d.Most, by, -by)
	}
	return d, nil
}
