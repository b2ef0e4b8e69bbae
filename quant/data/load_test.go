package data

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"kedge/runtime/feature"
	"kedge/runtime/tensor"
)

// put writes a file below a folder and returns its path.
func put(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func npyOf(t *testing.T, a Array) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := WriteNPY(&buf, a); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func npzOf(t *testing.T, arrays ...Named) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := WriteNPZ(&buf, arrays...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// loads checks one successful Load.
func loads(t *testing.T, name, path string, o Options, want Samples) {
	t.Helper()
	got, err := Load(path, o)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", name, got, want)
	}
}

// refuses checks one Load that fails, by the error and by words in it.
func refuses(t *testing.T, name, path string, o Options, want error, words string) {
	t.Helper()
	got, err := Load(path, o)
	if !errors.Is(err, want) || !strings.Contains(err.Error(), words) {
		t.Errorf("%s: got %+v, %v, want %v with %q", name, got, err, want, words)
	}
	if !reflect.DeepEqual(got, Samples{}) {
		t.Errorf("%s: got %+v beside the error", name, got)
	}
}

func TestLoadArrays(t *testing.T) {
	dir := t.TempDir()
	x := FromFloat32s([]float32{1, 2, 3, 4, 5, 6}, 3, 1, 2)
	y := Array{Shape: tensor.Shape{3, 1}, Type: tensor.Uint8, Data: []byte{2, 0, 1}}
	samples := Samples{X: []float32{1, 2, 3, 4, 5, 6}, Shape: tensor.Shape{1, 2}}
	labeled := samples
	labeled.Y = []int{2, 0, 1}
	named := labeled
	named.Classes = []string{"a", "b", "c"}
	bytes := Array{Shape: tensor.Shape{2}, Type: tensor.Uint8, Data: []byte{0, 255}}
	for _, c := range []struct {
		name    string
		content []byte
		o       Options
		want    Samples
	}{
		{"x.npy", npyOf(t, x), Options{Shape: tensor.Shape{9}}, samples},
		{"X.NPY", npyOf(t, x), Options{}, samples},
		{"by mark", npyOf(t, x), Options{}, samples},
		{"x.npz", npzOf(t, Named{"x", x}), Options{}, samples},
		{"xy.npz", npzOf(t, Named{"y", y}, Named{"x", x}), Options{}, labeled},
		{"archive by mark", npzOf(t, Named{"x", x}, Named{"y", y}), Options{Classes: named.Classes}, named},
		{"classes unread.npz", npzOf(t, Named{"x", x}, Named{"y", x}), Options{Unlabeled: true}, samples},
		{"scaled.npy", npyOf(t, bytes), Options{Scale: 1. / 255, Offset: -0.5}, Samples{X: []float32{-0.5, 0.5}, Shape: tensor.Shape{}}},
	} {
		loads(t, c.name, put(t, dir, c.name, c.content), c.o, c.want)
	}
}

func TestLoadArraysRefuses(t *testing.T) {
	dir := t.TempDir()
	x := FromFloat32s([]float32{1, 2, 3, 4}, 2, 2)
	nan := FromFloat32s([]float32{1, 2, 3, float32(math.NaN())}, 2, 2)
	labels := func(v ...float32) []byte {
		return npzOf(t, Named{"x", x}, Named{"y", FromFloat32s(v, len(v))})
	}
	for _, c := range []struct {
		name    string
		content []byte
		o       Options
		want    error
		words   string
	}{
		{"nan.npy", npyOf(t, nan), Options{}, ErrSamples, "sample 1: data: bad samples: NaN at index 1"},
		{"scalar.npy", npyOf(t, FromFloat32s([]float32{1})), Options{}, ErrSamples, "axis"},
		{"empty.npy", npyOf(t, FromFloat32s(nil, 0, 2)), Options{}, ErrSamples, "empty"},
		{"flat.npy", npyOf(t, FromFloat32s(nil, 2, 0)), Options{}, ErrSamples, "empty"},
		{"column.npy", npyOf(t, x), Options{LabelColumn: "y"}, ErrOptions, "no CSV"},
		{"cut.npy", npyOf(t, x)[:100], Options{}, ErrFormat, "cut.npy: "},
		{"large.npy", npyOf(t, x), Options{Limit: 15}, ErrTooLarge, "limit 15"},
		{"wide.npy", npyOf(t, Array{Shape: tensor.Shape{5, 1}, Type: tensor.Uint8, Data: make([]byte, 5)}), Options{Limit: 16}, ErrTooLarge, "at most 4"},
		{"none.npz", npzOf(t, Named{"a", x}), Options{}, ErrMissing, `no "x" among ["a"]`},
		{"few.npz", labels(1), Options{}, ErrFormat, `array "y"`},
		{"half.npz", labels(1, 0.5), Options{}, ErrFormat, "0.5"},
		{"negative.npz", labels(1, -1), Options{}, ErrFormat, "sample 1 has class -1"},
		{"beyond.npz", labels(0, 2), Options{Classes: []string{"a", "b"}}, ErrFormat, "0 to 1"},
		{"overflow.npy", npyOf(t, FromFloat32s([]float32{1, 3e38}, 2)), Options{Scale: 2}, ErrSamples, "sample 1"},
		{"features.npy", npyOf(t, x), Options{Features: feature.Set{{Name: "a", Scale: 1}}}, ErrSamples, "2 values, 1 features"},
		{"text", []byte("some text"), Options{}, ErrUnsupported, ".npy"},
		{"nothing", nil, Options{}, ErrUnsupported, ".npy"},
	} {
		refuses(t, c.name, put(t, dir, c.name, c.content), c.o, c.want, c.words)
	}
	refuses(t, "absent", filepath.Join(dir, "absent.npy"), Options{}, os.ErrNotExist, "absent.npy")
	if runtime.GOOS == "linux" {
		refuses(t, "device", "/dev/zero", Options{}, ErrUnsupported, "regular")
	}
}

func TestLoadRaw(t *testing.T) {
	content := []byte{0x00, 0x01, 0x80, 0xff}
	path := put(t, t.TempDir(), "x.bin", content)
	for _, c := range []struct {
		name string
		o    Options
		want []float32
	}{
		{"u8", Options{Type: tensor.Uint8, Shape: tensor.Shape{2}}, []float32{0, 1, 128, 255}},
		{"i8", Options{Type: tensor.Int8, Shape: tensor.Shape{1, 2}}, []float32{0, 1, -128, -1}},
		{"i16", Options{Type: tensor.Int16, Shape: tensor.Shape{1}}, []float32{256, -128}},
		{"f32", Options{Shape: tensor.Shape{1}}, []float32{math.Float32frombits(0xff800100)}},
		{"dequantized", Options{Type: tensor.Int8, Shape: tensor.Shape{4}, Scale: 0.5, Offset: -10}, []float32{-10, -9.5, -74, -10.5}},
	} {
		if c.name == "f32" { // a NaN: what is to be seen is the order of the bytes
			refuses(t, c.name, path, c.o, ErrSamples, "NaN")
			continue
		}
		loads(t, c.name, path, c.o, Samples{X: c.want, Shape: c.o.Shape})
	}
	one := put(t, t.TempDir(), "one.bin", []byte{0, 0, 0x80, 0x3f})
	loads(t, "one", one, Options{Shape: tensor.Shape{1}}, Samples{X: []float32{1}, Shape: tensor.Shape{1}})
	for _, c := range []struct {
		name  string
		o     Options
		want  error
		words string
	}{
		{"no shape", Options{Type: tensor.Uint8}, ErrOptions, "shape"},
		{"text", Options{Type: tensor.String, Shape: tensor.Shape{1}}, ErrOptions, "string"},
		{"no whole sample", Options{Type: tensor.Uint8, Shape: tensor.Shape{3}}, ErrFormat, "4 bytes"},
		{"empty shape", Options{Type: tensor.Uint8, Shape: tensor.Shape{2, 0}}, ErrSamples, "[2,0]"},
		{"negative", Options{Type: tensor.Uint8, Shape: tensor.Shape{-2}}, ErrTooLarge, "[-2]"},
		{"huge", Options{Type: tensor.Uint8, Shape: tensor.Shape{1 << 30, 1 << 30}}, ErrTooLarge, "limit"},
		{"limit", Options{Type: tensor.Uint8, Shape: tensor.Shape{1}, Limit: 15}, ErrTooLarge, "at most 3"},
	} {
		refuses(t, c.name, path, c.o, c.want, c.words)
	}
	refuses(t, "empty", put(t, t.TempDir(), "e.bin", nil), Options{Shape: tensor.Shape{1}}, ErrFormat, "0 bytes")
}

func TestLoadRefusesOptions(t *testing.T) {
	inf := float32(math.Inf(1))
	set := feature.Set{{Name: "a", Scale: 1}}
	for name, o := range map[string]Options{
		"scale":             {Scale: inf},
		"offset":            {Offset: -inf},
		"limit":             {Limit: -1},
		"step":              {Step: -1},
		"rate":              {Rate: -1},
		"class twice":       {Classes: []string{"a", "b", "a"}},
		"feature":           {Features: feature.Set{{Name: "a"}}},
		"no feature":        {Features: feature.Set{}},
		"features, scale":   {Features: set, Scale: 2},
		"features, offset":  {Features: set, Offset: 1},
		"unknown transform": {Features: feature.Set{{Name: "a", Transform: "cube", Scale: 1}}},
	} {
		refuses(t, name, "absent", o, ErrOptions, "")
	}
}

// TestLoadFeatures: what a device computes of a row is what Load gives, to the bit.
func TestLoadFeatures(t *testing.T) {
	set := feature.Set{{Name: "load", Transform: feature.SignedLog1p, Mean: 1.25, Scale: 0.3}, {Name: "temp", Mean: 20.1, Scale: 7}}
	compiled, err := feature.Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, 4)
	for i, row := range [][]float64{{float64(float32(0.1)), 21}, {-1000, float64(float32(-3.3))}} {
		if err := compiled.Apply(want[2*i:2*i+2], row); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	expect := Samples{X: want, Shape: tensor.Shape{2}}
	loads(t, "array", put(t, dir, "x.npy", npyOf(t, FromFloat32s([]float32{0.1, 21, -1000, -3.3}, 2, 2))), Options{Features: set}, expect)
	loads(t, "by name", put(t, dir, "a.csv", []byte("time,temp,load\nx,21,0.1\ny,-3.3,-1000\n")), Options{Features: set}, expect)
	loads(t, "by position", put(t, dir, "b.csv", []byte("a,b\n0.1,21\n-1000,-3.3\n")), Options{Features: set}, expect)
	loads(t, "no header", put(t, dir, "c.csv", []byte("0.1,21\n-1000,-3.3\n")), Options{Features: set}, expect)
	refuses(t, "one missing", put(t, dir, "d.csv", []byte("load,b\n1,2\n")), Options{Features: set}, ErrMissing, `feature 1: data: array or column is missing: no column "temp"`)
	refuses(t, "overflow", put(t, dir, "e.csv", []byte("0,1\n0,3e38\n")), Options{Features: feature.Set{{Name: "a", Scale: 1}, {Name: "b", Scale: 1e-9}}}, ErrSamples, `line 2`)
}

func TestSamplesArray(t *testing.T) {
	s := Samples{X: []float32{1, 2, 3, 4, 5, 6}, Shape: tensor.Shape{1, 3}}
	a := s.Array()
	if got, err := a.Float32s(); err != nil || !reflect.DeepEqual(got, s.X) || !a.Shape.Equal(tensor.Shape{2, 1, 3}) || s.Count() != 2 {
		t.Errorf("got %v %v (%v), %d samples, want %v of shape [2,1,3]", a.Shape, got, err, s.Count(), s.X)
	}
	if got := (&Samples{}).Count(); got != 0 {
		t.Errorf("of nothing: got %d samples, want 0", got)
	}
}
