package emit

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime"
)

// table reads a flatbuffer without looking at anything of the writer's: position of
// a table in a file.
type table struct {
	file []byte
	at   int
}

func rootOf(file []byte) table { return table{file, int(binary.LittleEndian.Uint32(file))} }

// field is the position of a field, 0 when it is absent.
func (t table) field(n int) int {
	v := t.at - int(int32(binary.LittleEndian.Uint32(t.file[t.at:])))
	if 4+2*n >= int(binary.LittleEndian.Uint16(t.file[v:])) {
		return 0
	}
	if d := binary.LittleEndian.Uint16(t.file[v+4+2*n:]); d != 0 {
		return t.at + int(d)
	}
	return 0
}

func (t table) follow(p int) int { return p + int(binary.LittleEndian.Uint32(t.file[p:])) }

func (t table) table(n int) table { return table{t.file, t.follow(t.field(n))} }

// bytes is a vector of bytes or a text, nil when it is absent.
func (t table) bytes(n int) []byte {
	p := t.field(n)
	if p == 0 {
		return nil
	}
	p = t.follow(p)
	return t.file[p+4:][:binary.LittleEndian.Uint32(t.file[p:])]
}

func (t table) text(n int) string { return string(t.bytes(n)) }

func (t table) floats(n int) []float32 {
	p := t.field(n)
	if p == 0 {
		return nil
	}
	p = t.follow(p)
	out := make([]float32, binary.LittleEndian.Uint32(t.file[p:]))
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.file[p+4+4*i:]))
	}
	return out
}

func (t table) tables(n int) []table {
	p := t.field(n)
	if p == 0 {
		return nil
	}
	p = t.follow(p)
	out := make([]table, binary.LittleEndian.Uint32(t.file[p:]))
	for i := range out {
		out[i] = table{t.file, t.follow(p + 4 + 4*i)}
	}
	return out
}

// entry is a buffer of the model's metadata.
func entry(file []byte, name string) []byte {
	model := rootOf(file)
	for _, e := range model.tables(6) {
		if e.text(0) == name {
			return model.tables(4)[binary.LittleEndian.Uint32(file[e.field(1):])].bytes(0)
		}
	}
	return nil
}

var described = Metadata{
	Name: "wheel", Description: "says what the wheel does", Version: "7", Author: "the works", License: "Apache-2.0",
	Inputs:  []TensorMetadata{{Name: "picture", Description: "of the wheel", Color: RGB, Mean: []float32{127.5}, Std: []float32{128}, Min: []float32{-1}, Max: []float32{1}}},
	Outputs: []TensorMetadata{{Name: "what", Labels: []string{"turns", "stands", "räumt"}}},
}

func TestMetadata(t *testing.T) {
	g := chain(t, 4, 3)
	file, err := ModelWith(g, Options{Description: "another", Metadata: &described})
	if err != nil {
		t.Fatal(err)
	}
	if got := rootOf(file).text(3); got != "another" {
		t.Errorf("description got %q, want %q", got, "another")
	}
	data := entry(file, "TFLITE_METADATA")
	if len(data) < 8 || string(data[4:8]) != "M001" {
		t.Fatalf("metadata begins with %q, want the identifier M001 at 4", data[:min(len(data), 8)])
	}
	m := rootOf(data)
	for n, want := range map[int]string{0: "wheel", 1: "says what the wheel does", 2: "7", 4: "the works", 5: "Apache-2.0", 7: "1.0.0"} {
		if got := m.text(n); got != want {
			t.Errorf("field %d got %q, want %q", n, got, want)
		}
	}
	in, out := m.tables(3)[0].tables(2)[0], m.tables(3)[0].tables(3)[0]
	if in.text(0) != "picture" || in.text(1) != "of the wheel" || out.text(0) != "what" {
		t.Errorf("names got %q %q and %q", in.text(0), in.text(1), out.text(0))
	}
	content := in.table(3)
	if kind, color := data[content.field(0)], data[content.table(1).field(0)]; kind != 2 || color != 1 {
		t.Errorf("content got %d with color space %d, want 2 with 1", kind, color)
	}
	if kind := data[out.table(3).field(0)]; kind != 1 {
		t.Errorf("content of the output got %d, want 1", kind)
	}
	unit := in.tables(4)[0]
	mean, std := unit.table(1).floats(0), unit.table(1).floats(1)
	if data[unit.field(0)] != 1 || mean[0] != 127.5 || std[0] != 128 {
		t.Errorf("process unit %d got %v and %v, want 1 with 127.5 and 128", data[unit.field(0)], mean, std)
	}
	if high, low := in.table(5).floats(0), in.table(5).floats(1); high[0] != 1 || low[0] != -1 {
		t.Errorf("statistics got %v and %v, want 1 and -1", high, low)
	}
	labels := out.tables(6)[0]
	if kind := data[labels.field(2)]; labels.text(0) != "labels.txt" || kind != 2 {
		t.Errorf("labels are in %q of type %d, want labels.txt of type 2", labels.text(0), kind)
	}
	if again, _ := ModelWith(g, Options{Description: "another", Metadata: &described}); !bytes.Equal(file, again) {
		t.Error("written twice, the files differ")
	}
}

// TestLabels reads the archive at the end of the file, which must not disturb those
// who read the model.
func TestLabels(t *testing.T) {
	g := chain(t, 4, 3)
	file, err := ModelWith(g, Options{Metadata: &described})
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 1 || archive.File[0].Name != "labels.txt" || archive.File[0].Method != zip.Store {
		t.Fatalf("archive has %+v, want labels.txt, stored", archive.File)
	}
	r, err := archive.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if want := "turns\nstands\nräumt\n"; err != nil || string(got) != want {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	if at, err := archive.File[0].DataOffset(); err != nil || !bytes.HasPrefix(file[at:], got) {
		t.Errorf("labels are not in the file at %d (%v)", at, err)
	}
	if _, err := runtime.Load(file, runtime.Options{}); err != nil {
		t.Error(err)
	}
	back, err := graph.FromTFLite(file)
	if err != nil || len(back.Nodes) != len(g.Nodes) {
		t.Errorf("read back: %v", err)
	}
}

func TestMetadataThatDoesNotFit(t *testing.T) {
	g := chain(t, 4, 3)
	in := func(m TensorMetadata) Metadata { return Metadata{Inputs: []TensorMetadata{m}} }
	for name, m := range map[string]Metadata{
		"inputs":       {Inputs: make([]TensorMetadata, 2)},
		"outputs":      {Outputs: make([]TensorMetadata, 2)},
		"labels":       {Outputs: []TensorMetadata{{Labels: []string{"a", "b"}}}},
		"label":        {Outputs: []TensorMetadata{{Labels: []string{"a", "b", "c\nd"}}}},
		"mean":         in(TensorMetadata{Mean: []float32{1, 2, 3}, Std: []float32{1}}),
		"mean alone":   in(TensorMetadata{Mean: []float32{1}}),
		"no deviation": in(TensorMetadata{Mean: []float32{1}, Std: []float32{0}}),
		"minimum":      in(TensorMetadata{Min: []float32{1, 2}}),
	} {
		if _, err := ModelWith(g, Options{Metadata: &m}); !errors.Is(err, ErrMetadata) {
			t.Errorf("%s: got %v, want %v", name, err, ErrMetadata)
		}
	}
}

func TestMinRuntimeIsNoted(t *testing.T) {
	file, err := Model(chain(t, 4, 3))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(entry(file, "min_runtime_version")), "1.5.0"+string(make([]byte, 11)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
