package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"kedge/cmd/internal/cli"
	"kedge/quant/data"
	"kedge/quant/eval"
	"kedge/runtime"
)

// writeSources writes the same 64 images in every form that samples may have:
// bytes v that the float model takes as v/32 - 4, labeled as it answers. Class 0 is
// called loud, class 1 calm: not in the order of their names.
func writeSources(ts *testscript.TestScript, w *weights) {
	m, err := eval.Float(w.graph())
	ts.Check(err)
	c, err := eval.NewClassifier(m)
	ts.Check(err)
	rng := mrand.New(mrand.NewPCG(9, 10))
	raw, x := make([]byte, 64*108), make([]float32, 64*108)
	for i := range raw {
		raw[i] = byte(min(max(math.Round(rng.NormFloat64()*32+128), 0), 255))
		x[i] = float32(raw[i])/32 - 4
	}
	var table strings.Builder
	for i := range 108 {
		fmt.Fprintf(&table, "v%d,", i)
	}
	table.WriteString("class\n")
	for i := range 64 {
		a, err := c.Classify(x[i*108 : (i+1)*108])
		ts.Check(err)
		name := []string{"loud", "calm"}[a.Class]
		for _, v := range x[i*108 : (i+1)*108] {
			fmt.Fprintf(&table, "%g,", v)
		}
		fmt.Fprintln(&table, name)
		picture := image.NewNRGBA(image.Rect(0, 0, 6, 6))
		for p := range 36 {
			copy(picture.Pix[4*p:], append(slices.Clone(raw[i*108+3*p:i*108+3*p+3]), 255))
		}
		path := ts.MkAbs(fmt.Sprintf("images/%s/%02d.png", name, i))
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
		var b bytes.Buffer
		ts.Check(png.Encode(&b, picture))
		ts.Check(os.WriteFile(path, b.Bytes(), 0o600))
	}
	var array bytes.Buffer
	ts.Check(data.WriteNPY(&array, data.FromFloat32s(x, 64, 6, 6, 3)))
	for name, content := range map[string][]byte{
		"table.csv": []byte(table.String()), "raw.bin": raw, "array.npy": array.Bytes(), "sound.wav": sound(rng, 8*100+3),
	} {
		ts.Check(os.WriteFile(ts.MkAbs(name), content, 0o600))
	}
}

// sound is a WAV file of noise.
func sound(rng *mrand.Rand, n int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), uint32(36+2*n))
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint32(b, 1|1<<16) // PCM, one channel
	b = le.AppendUint32(b, 16000)
	b = le.AppendUint32(b, 32000)
	b = le.AppendUint32(b, 2|16<<16) // bytes and bits of a sample
	b = le.AppendUint32(append(b, "data"...), uint32(2*n))
	for range n {
		b = le.AppendUint16(b, uint16(int16(rng.NormFloat64()*8000)))
	}
	return b
}

func TestParseSampleFlags(t *testing.T) {
	for _, c := range []struct {
		text string
		want []int // nil: refused
	}{
		{"32,32,3", []int{32, 32, 3}}, {"32x32x3", []int{32, 32, 3}}, {"[1 49 10 1]", []int{1, 49, 10, 1}}, {"640", []int{640}},
		{"", nil}, {"[]", nil}, {"3,0", nil}, {"-3", nil}, {"3,a", nil}, {"4294967296", nil},
	} {
		if got, err := parseShape(c.text); !slices.Equal(got, c.want) || (err == nil) != (c.want != nil) {
			t.Errorf("shape %q: got %v, %v, want %v", c.text, got, err, c.want)
		}
	}
	for _, c := range []struct {
		text string
		want float32
		ok   bool
	}{
		{"2", 2, true}, {"-0.5", -0.5, true}, {"1/255", 1. / 255, true}, {"-1/4", -0.25, true}, {"0", 0, true},
		{"", 0, false}, {"1/0", 0, false}, {"1/", 0, false}, {"/2", 0, false}, {"1/2/3", 0, false}, {"nan", 0, false}, {"inf", 0, false}, {"1e39", 0, false},
	} {
		if got, err := parseNumber(c.text); got != c.want || (err == nil) != c.ok {
			t.Errorf("number %q: got %v, %v, want %v", c.text, got, err, c.want)
		}
	}
	for text, want := range map[string]runtime.DataType{"f32": runtime.Float32, "u8": runtime.Uint8, "int8": runtime.Int8, "i16": runtime.Int16} {
		if got, err := parseElement(text); got != want || err != nil {
			t.Errorf("type %q: got %v, %v, want %v", text, got, err, want)
		}
	}
	if got, err := parseElement("f64"); err == nil {
		t.Errorf("type f64: got %v", got)
	}
}

// TestReadSeveral: a model with several inputs takes arrays by name, and no flags
// that describe one.
func TestReadSeveral(t *testing.T) {
	x0, x1 := data.FromFloat32s([]float32{1, 2, 3, 4}, 2, 2), data.FromFloat32s([]float32{5, 6}, 2, 1)
	path := filepath.Join(t.TempDir(), "two.npz")
	write := func(arrays ...data.Named) {
		t.Helper()
		var b bytes.Buffer
		if err := data.WriteNPZ(&b, arrays...); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inputs := []eval.Tensor{{Name: "a", Shape: []int{1, 2}}, {Name: "b", Shape: []int{1, 1}}}
	write(data.Named{Name: "x0", Array: x0}, data.Named{Name: "x1", Array: x1})
	s, err := (&sampleFlags{}).read(path, inputs, nil)
	if err != nil || s.Count != 2 || s.labels != nil {
		t.Fatalf("without classes: got %+v, %v, want 2 samples", s, err)
	}
	if _, err := s.classes(); err == nil || cli.Hint(err) == "" {
		t.Errorf("without classes: got %v, want an error with a hint", err)
	}
	write(data.Named{Name: "x0", Array: x0}, data.Named{Name: "x1", Array: x1}, data.Named{Name: "y", Array: data.FromFloat32s([]float32{1, 0}, 2)})
	if s, err = (&sampleFlags{}).read(path, inputs, nil); err != nil || !slices.Equal(s.labels, []int{1, 0}) {
		t.Errorf("with classes: got %+v, %v, want 1 and 0", s, err)
	}
	write(data.Named{Name: "x0", Array: x0}, data.Named{Name: "x1", Array: x1}, data.Named{Name: "y", Array: x0})
	if _, err = (&sampleFlags{}).read(path, inputs, nil); !errors.Is(err, eval.ErrLabels) {
		t.Errorf("two classes each: got %v, want %v", err, eval.ErrLabels)
	}
	if s, err = (&sampleFlags{options: data.Options{Unlabeled: true}}).read(path, inputs, nil); err != nil || s.labels != nil {
		t.Errorf("classes not wanted: got %+v, %v", s, err)
	}
	if _, err = (&sampleFlags{seen: true}).read(path, inputs, nil); cli.Code(err) != cli.ExitUsage {
		t.Errorf("with flags: got %v, want a usage error", err)
	}
}
