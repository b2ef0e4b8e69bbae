package data

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"kedge/runtime/feature"
	"kedge/runtime/tensor"
)

// npy puts a header in front of data, the way numpy does.
func npy(header string, data string) string {
	for (10+len(header)+1)%64 != 0 {
		header += " "
	}
	header += "\n"
	return npyMagic + "\x01\x00" + string([]byte{byte(len(header)), byte(len(header) >> 8)}) + header + data
}

func TestReadNPY(t *testing.T) {
	for _, c := range []struct {
		name, file string
		shape      tensor.Shape
		values     []float32
	}{
		{"float32", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "\x00\x00\x80\x3f\x00\x00\x00\xc0"), tensor.Shape{2}, []float32{1, -2}},
		{"float64", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }", "\x00\x00\x00\x00\x00\x00\xe0\x3f"), tensor.Shape{1, 1}, []float32{0.5}},
		{"uint8", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", "\x00\x7f\xff"), tensor.Shape{3}, []float32{0, 127, 255}},
		{"uint8 as '<u1'", npy("{'descr': '<u1', 'fortran_order': False, 'shape': (1,), }", "\x05"), tensor.Shape{1}, []float32{5}},
		{"int8", npy("{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }", "\x7f\x80"), tensor.Shape{2}, []float32{127, -128}},
		{"int16", npy("{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }", "\xfe\xff"), tensor.Shape{1}, []float32{-2}},
		{"uint16", npy("{'descr': '<u2', 'fortran_order': False, 'shape': (1,), }", "\xfe\xff"), tensor.Shape{1}, []float32{65534}},
		{"int32", npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", "\xfe\xff\xff\xff"), tensor.Shape{1}, []float32{-2}},
		{"uint32", npy("{'descr': '<u4', 'fortran_order': False, 'shape': (1,), }", "\x00\x00\x00\x80"), tensor.Shape{1}, []float32{1 << 31}},
		{"int64", npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", "\xff\xff\xff\xff\xff\xff\xff\xff"), tensor.Shape{1}, []float32{-1}},
		{"bool", npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", "\x01\x00"), tensor.Shape{2}, []float32{1, 0}},
		{"scalar", npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "\x07"), tensor.Shape{}, []float32{7}},
		{"empty", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5), }", ""), tensor.Shape{0, 5}, []float32{}},
		{"other order of keys, Python 2", npy(`{"shape": (2L, 1), "fortran_order": False, "descr": "|u1"}`, "\x01\x02"), tensor.Shape{2, 1}, []float32{1, 2}},
		{"column-major", npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", "\x01\x04\x02\x05\x03\x06"), tensor.Shape{2, 3}, []float32{1, 2, 3, 4, 5, 6}},
	} {
		a, err := ReadNPY(strings.NewReader(c.file), 100)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, err := a.Float32s()
		if err != nil || !reflect.DeepEqual(got, c.values) || !reflect.DeepEqual(a.Shape, c.shape) {
			t.Errorf("%s: got %v %v (%v), want %v %v", c.name, a.Shape, got, err, c.shape, c.values)
		}
	}
}

func TestReadNPYRefuses(t *testing.T) {
	good := npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "12345678")
	for _, c := range []struct {
		name, file string
		want       error
	}{
		{"empty", "", ErrFormat},
		{"foreign", "#!/bin/sh\nexit\n", ErrFormat},
		{"cut header", good[:40], ErrFormat},
		{"cut elements", good[:len(good)-1], ErrFormat},
		{"version", strings.Replace(good, "\x01\x00", "\x09\x00", 1), ErrUnsupported},
		{"huge header", npyMagic + "\x02\x00\xff\xff\xff\xff", ErrFormat},
		{"big-endian", npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "12345678"), ErrUnsupported},
		{"text", npy("{'descr': '<U10', 'fortran_order': False, 'shape': (), }", ""), ErrUnsupported},
		{"record", npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "12345678"), ErrFormat},
		{"too large", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (26,), }", ""), ErrTooLarge},
		{"product overflows", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647), }", ""), ErrTooLarge},
		{"negative", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", ""), ErrFormat},
		{"dimension beyond 32 bits", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }", ""), ErrFormat},
		{"key missing", npy("{'descr': '<f4', 'shape': (2,), }", "12345678"), ErrFormat},
		{"key twice", npy("{'descr': '<f4', 'descr': '<f4', 'shape': (2,), }", "12345678"), ErrFormat},
		{"key unknown", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 'y'}", "12345678"), ErrFormat},
		{"not closed", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), ", "12345678"), ErrFormat},
		{"33 dimensions", npy("{'descr': '<f4', 'fortran_order': False, 'shape': ("+strings.Repeat("1,", 33)+"), }", "1234"), ErrFormat},
	} {
		if a, err := ReadNPY(strings.NewReader(c.file), 100); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.name, a.Shape, err, c.want)
		}
	}
}

func TestInts(t *testing.T) {
	a := FromFloat32s([]float32{1, -3, 0}, 3)
	if got, err := a.Ints(); err != nil || !reflect.DeepEqual(got, []int{1, -3, 0}) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, v := range []float32{0.5, float32(math.NaN()), float32(math.Inf(1)), 1e20} {
		if got, err := FromFloat32s([]float32{v}, 1).Ints(); !errors.Is(err, ErrFormat) {
			t.Errorf("%v: got %v, %v, want %v", v, got, err, ErrFormat)
		}
	}
}

func TestNPZRoundTrip(t *testing.T) {
	y, err := FromInts([]int{2, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	want := []Array{FromFloat32s([]float32{1, 2, 3, 4, 5, 6}, 3, 2), y, FromFloat32s(nil, 0, 2)}
	var buf, again bytes.Buffer
	for _, w := range []io.Writer{&buf, &again} {
		if err := WriteNPZ(w, Named{"x", want[0]}, Named{"y", want[1]}, Named{"none", want[2]}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(buf.Bytes(), again.Bytes()) {
		t.Error("written twice, the files differ")
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadNPZ(path, 1000, "y", "x", "none")
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range []Array{want[1], want[0], want[2]} {
		if g := got[i]; !bytes.Equal(g.Data, w.Data) || !g.Shape.Equal(w.Shape) || g.Type != w.Type {
			t.Errorf("array %d: got %+v, want %+v", i, g, w)
		}
	}
	if _, err := ReadNPZ(path, 1000, "x", "z"); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), `"x" "y"`) {
		t.Errorf("missing: got %v, want %v that lists what is there", err, ErrMissing)
	}
	if _, err := ReadNPZ(path, 30, "x", "y"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("limit of both together: got %v, want %v", err, ErrTooLarge)
	}
	if _, err := ReadNPZ(path+".absent", 30, "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent: got %v, want %v", err, os.ErrNotExist)
	}
}

// TestHeaderAlignment: numpy.load maps files whose elements begin at a multiple
// of 64.
func TestHeaderAlignment(t *testing.T) {
	for n := range 12 {
		shape := make([]int, n)
		for i := range shape {
			shape[i] = 1
		}
		var buf bytes.Buffer
		if err := WriteNPY(&buf, FromFloat32s([]float32{1}, shape...)); err != nil {
			t.Fatal(err)
		}
		if at := buf.Len() - 4; at%64 != 0 || buf.Bytes()[at-1] != '\n' {
			t.Errorf("%d dimensions: elements begin at %d after %q", n, at, buf.Bytes()[at-1])
		}
	}
}

func TestNPZRefusesDamage(t *testing.T) {
	pack := func(content string, method uint16) []byte {
		var buf bytes.Buffer
		z := zip.NewWriter(&buf)
		w, err := z.CreateHeader(&zip.FileHeader{Name: "x.npy", Method: method})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, content)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	const head = "{'descr': '|u1', 'fortran_order': False, 'shape': (40,), }"
	elements := strings.Repeat("Q", 40)
	flipped := pack(npy(head, elements), zip.Store)
	flipped[bytes.LastIndexByte(flipped, 'Q')] = 'R'
	for name, file := range map[string][]byte{
		"checksum":          flipped,
		"bytes behind":      pack(npy(head, elements+"x"), zip.Deflate),
		"no array":          pack("text", zip.Deflate),
		"no archive":        []byte("text"),
		"truncated archive": pack(npy(head, elements), zip.Deflate)[:60],
	} {
		if _, err := readNPZ(bytes.NewReader(file), int64(len(file)), 1000, []string{"x"}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v, want %v", name, err, ErrFormat)
		}
	}
	if a, err := readNPZ(bytes.NewReader(pack(npy(head, elements), zip.Deflate)), int64(len(pack(npy(head, elements), zip.Deflate))), 1000, []string{"x"}); err != nil || len(a[0].Data) != 40 {
		t.Errorf("compressed: got %v, %v", a, err)
	}
}

// TestReadsNumpysOwn reads archives that numpy wrote.
func TestReadsNumpysOwn(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "models", "mlp_digits_data.npz")
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
			t.Fatal(err)
		}
		t.Skipf("reference data is absent: %v", err)
	}
	a, err := ReadNPZ(path, 1<<20, "x_test", "y_test", "float_logits_test")
	if err != nil {
		t.Fatal(err)
	}
	y, err := a[1].Ints()
	if err != nil {
		t.Fatal(err)
	}
	logits, err := a[2].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i := range y {
		row, top := logits[10*i:10*i+10], 0
		for j, v := range row {
			if v > row[top] {
				top = j
			}
		}
		if top == y[i] {
			right++
		}
	}
	if !a[0].Shape.Equal(tensor.Shape{500, 64}) || right != 478 {
		t.Errorf("shape %v with %d right answers, want [500,64] with 478 (95.6 %%)", a[0].Shape, right)
	}
	if _, err := ReadNPZ(path, 1<<20, "note"); !errors.Is(err, ErrUnsupported) {
		t.Errorf("text array: got %v, want %v", err, ErrUnsupported)
	}
}

func TestStandardize(t *testing.T) {
	x := []float64{
		1, -7, 1e6,
		3, -7, 1e6 + 10,
		5, -7, 1e6 - 10,
	}
	set, err := Standardize([]string{"a", "flat", "c"}, x, feature.None)
	if err != nil {
		t.Fatal(err)
	}
	if set[0].Name != "a" || set[0].Mean != 3 || math.Abs(set[0].Scale-math.Sqrt(8.0/3)) > 1e-12 {
		t.Errorf("column 0 got %+v, want mean 3 and scale √(8/3)", set[0])
	}
	if set[1].Mean != -7 || set[1].Scale != 1 {
		t.Errorf("constant column got %+v, want mean -7 and scale 1", set[1])
	}
	if math.Abs(set[2].Scale-math.Sqrt(200.0/3)) > 1e-3 {
		t.Errorf("column 2 got %+v, want scale √(200/3)", set[2])
	}
	logs, err := Standardize([]string{"a"}, []float64{0, math.E - 1, 1 - math.E}, feature.SignedLog1p)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(logs[0].Mean) > 1e-7 || math.Abs(logs[0].Scale-math.Sqrt(2.0/3)) > 1e-6 || logs[0].Transform != feature.SignedLog1p {
		t.Errorf("logarithm got %+v, want mean 0 and scale √(2/3)", logs[0])
	}
	for name, c := range map[string]struct {
		names []string
		x     []float64
	}{
		"no rows": {[]string{"a"}, nil}, "no features": {nil, []float64{1}}, "ragged": {[]string{"a", "b"}, []float64{1, 2, 3}},
		"NaN": {[]string{"a"}, []float64{1, math.NaN()}}, "infinite": {[]string{"a"}, []float64{math.Inf(1)}},
	} {
		if set, err := Standardize(c.names, c.x, feature.None); !errors.Is(err, ErrSamples) {
			t.Errorf("%s: got %v, %v, want %v", name, set, err, ErrSamples)
		}
	}
	if _, err := Standardize([]string{"a"}, []float64{1}, "cube"); err == nil {
		t.Error("unknown transform: got no error")
	}
}

// FuzzReadNPY: any bytes give an array or an error within the limit; what was
// read can be written and reads back equal.
func FuzzReadNPY(f *testing.F) {
	f.Add([]byte(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "12345678")))
	f.Add([]byte(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", "123456")))
	f.Add([]byte(npyMagic + "\x03\x00\x05\x00\x00\x00{}   "))
	f.Fuzz(func(t *testing.T, file []byte) {
		const limit = 1 << 12
		a, err := ReadNPY(bytes.NewReader(file), limit)
		if err != nil {
			return
		}
		if len(a.Data) > limit {
			t.Fatalf("%d bytes, limit %d", len(a.Data), limit)
		}
		if _, err := a.Float32s(); err != nil {
			t.Fatalf("a supported type has no numbers: %v", err)
		}
		var buf bytes.Buffer
		if err := WriteNPY(&buf, a); err != nil {
			t.Fatal(err)
		}
		b, err := ReadNPY(&buf, limit)
		if err != nil || !bytes.Equal(a.Data, b.Data) || !a.Shape.Equal(b.Shape) || a.Type != b.Type {
			t.Errorf("written and read again: got %+v, %v, want %+v", b, err, a)
		}
	})
}
