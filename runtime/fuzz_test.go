package runtime_test

import (
	"bytes"
	"errors"
	"testing"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// checkFile is what must hold of every file; it returns the error of loading it.
func checkFile(t *testing.T, file []byte) error {
	t.Helper()
	g := guard{maxArena: 1 << 20, work: 4e6, compare: true}
	if err := g.check(file); err != nil {
		t.Error(err)
	}
	return g.err
}

func FuzzLoad(f *testing.F) {
	for _, family := range runtimetest.Families() {
		f.Add(family.Model.Bytes())
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		checkFile(t, file)
		runtime.Inspect(file, runtime.Options{MaxArena: 1 << 20})
	})
}

// FuzzFields knows where in a sound file its fields are and sets several of them,
// so that what it tries is seldom refused at the first look. Each edit takes four
// bytes: which field, and which value.
func FuzzFields(f *testing.F) {
	var files [][]byte
	var fields [][]runtimetest.Field
	for i, family := range runtimetest.Families() {
		files = append(files, family.Model.Bytes())
		fields = append(fields, runtimetest.Fields(files[i]))
		f.Add(byte(i), []byte{10, 0, 0, 1})
	}
	f.Fuzz(func(t *testing.T, model byte, edits []byte) {
		which := int(model) % len(files)
		file := bytes.Clone(files[which])
		for ; len(edits) >= 4; edits = edits[4:] {
			i := int(edits[0]) | int(edits[1])<<8
			field := &fields[which][i%len(fields[which])]
			neighbor := &fields[which][(i+1)%len(fields[which])]
			values := field.Values(file, neighbor.Get(file))
			v := uint64(edits[2])
			if edits[3] != 0 {
				v = values[int(edits[3])%len(values)]
			}
			field.Set(file, v)
		}
		checkFile(t, file)
	})
}

// TestEveryByteDamaged sets each byte of some models to values that make lengths and
// offsets large, negative or zero.
func TestEveryByteDamaged(t *testing.T) {
	for _, model := range []*runtimetest.Builder{
		runtimetest.SmallNet(), runtimetest.Unsigned(runtimetest.SmallNet()), runtimetest.Mover(), runtimetest.Stateful(), runtimetest.Pruned(),
		runtimetest.FrontEnd(), runtimetest.Streamer(), runtimetest.Detector(true),
	} {
		file := model.Bytes()
		if err := checkFile(t, file); err != nil {
			t.Errorf("undamaged: %v", err)
		}
		for i := range file {
			if testing.Short() && i%16 != 0 {
				continue
			}
			for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				damaged := append([]byte(nil), file...)
				damaged[i] = v
				checkFile(t, damaged)
			}
		}
	}
}

func TestEveryLength(t *testing.T) {
	file := runtimetest.SmallNet().Bytes()
	for n := range file {
		err := checkFile(t, file[:n:n])
		if err == nil && n < len(file)-32 {
			t.Errorf("the first %d of %d bytes were accepted", n, len(file))
		}
	}
}

// TestManyTensors loads models with more tensors than the planner compares with
// each other, in a chain, and all alive at once.
func TestManyTensors(t *testing.T) {
	for _, chain := range []bool{true, false} {
		for _, n := range []int{1000, 6000} {
			b := &runtimetest.Builder{Inputs: []int{0}, Outputs: []int{n}}
			b.Tensors = append(b.Tensors, runtimetest.Int8("", 1, 0, 4))
			for i := range n {
				in, out := 0, len(b.Tensors)
				if chain {
					in = out - 1
				} else {
					b.Outputs = append(b.Outputs, out)
				}
				b.Tensors = append(b.Tensors, runtimetest.Int8("", 1, 0, 4))
				b.Ops = append(b.Ops, runtimetest.Op{Code: tflite.Relu, Inputs: []int{in}, Outputs: []int{i + 1}})
			}
			if err := checkFile(t, b.Bytes()); err != nil {
				t.Errorf("%d tensors, chain %v: %v", n, chain, err)
			}
		}
	}
}

// TestAliasing lists one tensor many times: 4 bytes of file each.
func TestAliasing(t *testing.T) {
	for _, n := range []int{1000, 30_000, 40_000, 1_000_000} {
		b := runtimetest.Successor()
		b.Repeat = n
		err := checkFile(t, b.Bytes())
		if n > 1000 && !errors.Is(err, runtime.ErrBudget) && !errors.Is(err, runtime.ErrMalformed) {
			t.Errorf("%d times: got %v, want %v or %v", n, err, runtime.ErrBudget, runtime.ErrMalformed)
		}
	}
}
