package runtimetest

import (
	"bytes"
	"slices"
	"testing"
)

func TestFields(t *testing.T) {
	file := SmallNet().Bytes()
	found := map[string]uint64{}
	for _, f := range Fields(file) {
		if f.Pos < 0 || f.Pos+f.Width > len(file) {
			t.Fatalf("%+v: not within %d bytes", f, len(file))
		}
		found[f.Path] = f.Get(file)
	}
	for path, want := range map[string]uint64{
		"version":                                                  3,
		"operator_codes.length":                                    7,
		"operator_codes[0].builtin_code":                           3, // CONV_2D
		"subgraphs[0].tensors.length":                              15,
		"subgraphs[0].tensors[0].shape[1]":                         6,
		"subgraphs[0].tensors[1].type":                             9,
		"subgraphs[0].tensors[4].buffer":                           5,
		"subgraphs[0].tensors[0].quantization.zero_point[0]":       1<<64 - 3,
		"subgraphs[0].tensors[4].quantization.quantized_dimension": 3,
		"subgraphs[0].tensors[14].name.length":                     13,
		"subgraphs[0].operators[3].builtin_options.field3":         2, // the filter's width
		"subgraphs[0].operators[4].inputs[1]":                      10,
		"buffers.length":                                           16,
		"buffers[11].data[1]":                                      36,         // of the shape that RESHAPE is given
		"buffers[12].data[3]":                                      0xb9946e49, // 73, 110, -108, -71: weights, four at a time
	} {
		if got, ok := found[path]; !ok || got != want {
			t.Errorf("%s: got %#x, %v, want %#x", path, got, ok, want)
		}
	}
}

// TestFieldsOfOptions: lengths within options need the operator's kind.
func TestFieldsOfOptions(t *testing.T) {
	for _, c := range []struct {
		model *Builder
		path  string
		want  uint64
	}{
		{Mover(), "subgraphs[0].operators[12].builtin_options.squeeze_dims[1]", 1},
		{Stateful(), "subgraphs[0].operators[1].builtin_options.shared_name.length", 3},
	} {
		file := c.model.Bytes()
		fields := Fields(file)
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Path == c.path })
		if i < 0 || fields[i].Get(file) != c.want {
			t.Errorf("%s: got none or another value, want %d", c.path, c.want)
		}
	}
}

func TestMutations(t *testing.T) {
	file := SmallNet().Bytes()
	all := Mutations(file)
	kinds := map[string]bool{}
	for _, m := range all {
		kinds[m.Kind()] = true
		before := bytes.Clone(file)
		own := m.Get(file)
		m.Set(file, m.Value)
		if n := differing(before, file); n < 1 || n > m.Width {
			t.Fatalf("%s set to %#x: %d bytes changed, want 1 to %d", m.Path, m.Value, n, m.Width)
		}
		m.Set(file, own)
		if !bytes.Equal(before, file) {
			t.Fatalf("%s: not put back", m.Path)
		}
	}
	some := Spread(all, 300)
	if len(some) != 300 {
		t.Errorf("got %d mutations, want 300", len(some))
	}
	for _, m := range some {
		delete(kinds, m.Kind())
	}
	if len(kinds) != 0 {
		t.Errorf("no mutation of %v", kinds)
	}
}

func differing(a, b []byte) int {
	n := 0
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
