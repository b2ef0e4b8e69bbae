package runtimetest

import (
	"testing"

	"kedge/runtime"
)

// Run loads a model, feeds it one sample and returns its first output.
func Run(t testing.TB, b *Builder, inputs ...[]byte) []byte {
	t.Helper()
	m, err := runtime.Load(b.Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, in := range inputs {
		if got, want := len(in), len(s.Input(i)); got != want {
			t.Fatalf("input %d: %d bytes, want %d", i, got, want)
		}
		copy(s.Input(i), in)
	}
	if err := s.Invoke(); err != nil {
		t.Fatal(err)
	}
	return append([]byte(nil), s.Output(0)...)
}
