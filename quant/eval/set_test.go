package eval

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"kedge/quant/data"
	"kedge/runtime/tensor"
)

func input(shape ...int) []Tensor {
	return []Tensor{{Name: "in", Shape: shape, Type: tensor.Float32}}
}

// counting is an array of 0, 1, 2 and so on.
func counting(shape ...int) data.Array {
	n, _ := tensor.Shape(shape).Elements()
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(i)
	}
	return data.FromFloat32s(v, shape...)
}

func TestNewSet(t *testing.T) {
	onnx := [][]int{{0, 2, 3, 1}}
	for _, c := range []struct {
		name    string
		model   tensor.Shape
		samples tensor.Shape
		perms   [][]int
		windows int
		last    []float32 // the values of the last window of sample 1
		note    string
	}{
		{"as the model", tensor.Shape{1, 2, 2, 3}, tensor.Shape{2, 2, 2, 3}, nil, 1, []float32{12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}, ""},
		{"channels first", tensor.Shape{1, 2, 2, 3}, tensor.Shape{2, 3, 2, 2}, nil, 1, []float32{12, 16, 20, 13, 17, 21, 14, 18, 22, 15, 19, 23}, "transposed"},
		{"of an ONNX model", tensor.Shape{1, 2, 2, 2}, tensor.Shape{2, 2, 2, 2}, onnx, 1, []float32{8, 12, 9, 13, 10, 14, 11, 15}, "ONNX"},
		{"ambiguous", tensor.Shape{1, 2, 2, 2}, tensor.Shape{2, 2, 2, 2}, nil, 1, []float32{8, 9, 10, 11, 12, 13, 14, 15}, ""},
		{"channels last for ONNX", tensor.Shape{1, 1, 2, 3}, tensor.Shape{2, 1, 2, 3}, onnx, 1, []float32{6, 7, 8, 9, 10, 11}, "already"},
		{"one channel", tensor.Shape{1, 2, 2, 1}, tensor.Shape{2, 1, 2, 2}, onnx, 1, []float32{4, 5, 6, 7}, ""},
		{"without the channel", tensor.Shape{1, 2, 2, 1}, tensor.Shape{2, 2, 2}, nil, 1, []float32{4, 5, 6, 7}, ""},
		{"flat sample", tensor.Shape{1, 2, 2, 1}, tensor.Shape{2, 4}, nil, 1, []float32{4, 5, 6, 7}, ""},
		{"flat sample of ONNX", tensor.Shape{1, 1, 2, 2}, tensor.Shape{2, 4}, onnx, 1, []float32{4, 6, 5, 7}, "ONNX"},
		{"flat input", tensor.Shape{1, 4}, tensor.Shape{2, 2, 2}, nil, 1, []float32{4, 5, 6, 7}, ""},
		{"scalars", tensor.Shape{1, 1}, tensor.Shape{2}, nil, 1, []float32{1}, ""},
		{"windows, flat", tensor.Shape{1, 4}, tensor.Shape{2, 4, 2}, nil, 3, []float32{12, 13, 14, 15}, "3 windows of 2 of the 4 steps"},
		{"windows", tensor.Shape{1, 2, 2, 1}, tensor.Shape{2, 3, 2}, nil, 2, []float32{8, 9, 10, 11}, "2 windows of 2 of the 3 steps"},
	} {
		s, err := NewSet(input(c.model...), []data.Array{counting(c.samples...)}, c.perms)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if s.Count != 2 || s.Windows != c.windows {
			t.Errorf("%s: got %d samples of %d windows, want 2 of %d", c.name, s.Count, s.Windows, c.windows)
		}
		if note := strings.Join(s.Notes, " "); !strings.Contains(note, c.note) || (note == "") != (c.note == "") {
			t.Errorf("%s: noted %q, want %q", c.name, note, c.note)
		}
		at := make([][]float32, 1)
		if s.window(at, 1, s.Windows-1); !slices.Equal(at[0], c.last) {
			t.Errorf("%s: got %v, want %v", c.name, at[0], c.last)
		}
		if all := s.Values()[0]; len(all) != 2*c.windows*len(c.last) || !slices.Equal(all[len(all)-len(c.last):], c.last) {
			t.Errorf("%s: all values %v, want them to end in %v", c.name, all, c.last)
		}
	}
}

func TestNewSetRefuses(t *testing.T) {
	nan := []float32{0, 0, 0, 0, 0, float32(math.NaN())}
	for _, c := range []struct {
		name  string
		model tensor.Shape
		array data.Array
		want  string
	}{
		{"other size", tensor.Shape{1, 32, 32, 3}, counting(2, 8, 8, 3), "2 samples of shape [8,8,3], the model takes [1,32,32,3]"},
		{"larger image", tensor.Shape{1, 4, 4, 3}, counting(2, 8, 4, 3), "the model takes [1,4,4,3]"},
		{"other rows", tensor.Shape{1, 2, 2, 3}, counting(2, 4, 3), "the model takes"},
		{"no sample axis", tensor.Shape{1, 2, 2, 3}, counting(2, 2, 3), "the model takes"},
		{"shorter", tensor.Shape{1, 6}, counting(2, 2, 2), "the model takes"},
		{"window of a part", tensor.Shape{1, 5}, counting(2, 4, 2), "the model takes"},
		{"window of other frames", tensor.Shape{1, 3, 4}, counting(2, 8, 2), "the model takes"},
		{"empty", tensor.Shape{1, 2}, counting(0, 2), "empty"},
		{"scalar", tensor.Shape{1, 1}, counting(), "empty"},
		{"NaN", tensor.Shape{1, 3}, data.FromFloat32s(nan, 2, 3), "sample 1 holds NaN at index 2"},
	} {
		_, err := NewSet(input(c.model...), []data.Array{c.array}, nil)
		if !errors.Is(err, ErrSamples) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// TestFromSamples: what was loaded fits like an array of the same shape, but images
// lie as they were loaded.
func TestFromSamples(t *testing.T) {
	x := counting(2, 2, 3, 2)
	values, err := x.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	perms := [][]int{{0, 2, 3, 1}} // a model of 2 channels, first in its own layout
	for _, c := range []struct {
		name    string
		pixels  bool
		shape   tensor.Shape
		want    []float32 // of sample 1
		comment string
	}{
		{"image", true, tensor.Shape{2, 3, 2}, values[12:], ""},
		{"array in the model's layout", false, tensor.Shape{2, 2, 3}, []float32{12, 18, 13, 19, 14, 20, 15, 21, 16, 22, 17, 23}, "transposed"},
		{"flat", false, tensor.Shape{12}, []float32{12, 18, 13, 19, 14, 20, 15, 21, 16, 22, 17, 23}, "transposed"},
	} {
		s, err := FromSamples(input(1, 2, 3, 2), &data.Samples{X: values, Shape: c.shape, Pixels: c.pixels, Notes: []string{"first"}}, perms)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		at := make([][]float32, 1)
		if s.window(at, 1, 0); s.Count != 2 || !slices.Equal(at[0], c.want) {
			t.Errorf("%s: got %d samples, %v, want 2, %v", c.name, s.Count, at[0], c.want)
		}
		if notes := strings.Join(s.Notes, "; "); !strings.HasPrefix(notes, "first") || !strings.Contains(notes, c.comment) {
			t.Errorf("%s: got notes %q, want %q behind the samples' own", c.name, notes, c.comment)
		}
	}
	for name, inputs := range map[string][]Tensor{"other shape": input(1, 5), "two inputs": append(input(1, 12), input(1, 12)...)} {
		if s, err := FromSamples(inputs, &data.Samples{X: values, Shape: tensor.Shape{12}}, nil); !errors.Is(err, ErrSamples) || s != nil {
			t.Errorf("%s: got %v, %v, want %v", name, s, err, ErrSamples)
		}
	}
}

func TestSeveralInputs(t *testing.T) {
	inputs := append(input(1, 2), input(1, 4)...)
	s, err := NewSet(inputs, []data.Array{counting(3, 2), counting(3, 4)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	at := make([][]float32, 2)
	if s.window(at, 2, 0); !slices.Equal(at[0], []float32{4, 5}) || !slices.Equal(at[1], []float32{8, 9, 10, 11}) {
		t.Errorf("got %v", at)
	}
	for _, second := range []data.Array{counting(2, 4), counting(3, 6, 4)} { // samples lost; no sliding beside another
		if _, err := NewSet(inputs, []data.Array{counting(3, 2), second}, nil); !errors.Is(err, ErrSamples) || !strings.Contains(err.Error(), `"x1"`) {
			t.Errorf("shape %v: got %v, want %v of x1", second.Shape, err, ErrSamples)
		}
	}
	if _, err := NewSet(inputs, []data.Array{counting(3, 2)}, nil); !errors.Is(err, ErrSamples) {
		t.Errorf("one array: got %v, want %v", err, ErrSamples)
	}
}

func TestNewLabels(t *testing.T) {
	for _, c := range []struct {
		name  string
		array data.Array
		want  string // in the error; empty for none
	}{
		{"one for each", data.FromFloat32s([]float32{2, 0, 1}, 3), ""},
		{"a column", data.FromFloat32s([]float32{2, 0, 1}, 3, 1), ""},
		{"too few", data.FromFloat32s([]float32{2, 0}, 2), "shape [2], want one label for each of 3 samples"},
		{"one-hot", counting(3, 2), "shape [3,2]"},
		{"negative", data.FromFloat32s([]float32{0, -1, 0}, 3), "sample 1 has label -1"},
	} {
		y, err := NewLabels(c.array, 3)
		if c.want == "" && (err != nil || !slices.Equal(y, []int{2, 0, 1})) {
			t.Errorf("%s: got %v, %v", c.name, y, err)
		}
		if c.want != "" && (!errors.Is(err, ErrLabels) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := NewLabels(data.FromFloat32s([]float32{0.5, 1, 1}, 3), 3); !errors.Is(err, data.ErrFormat) {
		t.Errorf("half a label: got %v, want %v", err, data.ErrFormat)
	}
}
