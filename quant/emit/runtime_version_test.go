package emit

import (
	"testing"

	"kedge/runtime/tflite"
)

func TestMinRuntime(t *testing.T) {
	for _, c := range []struct {
		codes []operatorCode
		want  string
	}{
		{nil, ""},
		{[]operatorCode{{tflite.Relu, 1}}, "1.5.0"},
		{[]operatorCode{{tflite.Add, 2}, {tflite.Relu, 1}, {tflite.Exp, 1}}, "1.14.0"},
		{[]operatorCode{{tflite.Prelu, 1}, {tflite.FullyConnected, 12}, {tflite.Relu, 2}}, "2.17.0"},
	} {
		got := minRuntime(c.codes)
		if want := c.want + string(make([]byte, 16-len(c.want))); string(got) != want {
			t.Errorf("%v: got %q, want %q", c.codes, got, want)
		}
	}
}

// TestEveryVersionHasARelease goes through what TestForms may write.
func TestEveryVersionHasARelease(t *testing.T) {
	for _, c := range nodes {
		f := formOf(c.op.Name())
		for _, v := range c.versions {
			if v > len(runtimes[f.code]) {
				t.Errorf("%s version %d: no release", c.op.Name(), v)
			}
		}
	}
}
