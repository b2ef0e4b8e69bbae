package update

import (
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
)

// Golden samples are independent: a model that remembers begins each of them
// from its initial state, as the centre did when it made them.
func TestGoldenSampleOfStatefulModel(t *testing.T) {
	m, err := runtime.Load(runtimetest.Stateful().Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// The output is the input plus 5, and later plus the output before.
	for i := range 3 {
		if err := goldenSample(s, []byte{1, 2, 3, 4}, []byte{6, 7, 8, 9}); err != nil {
			t.Errorf("sample %d: %v", i, err)
		}
	}
	if err := goldenSample(s, []byte{1, 2, 3, 4}, []byte{6, 7, 8, 10}); err == nil {
		t.Error("a wrong byte: got no error")
	}
}
