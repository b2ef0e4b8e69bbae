package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"kedge/runtime"
	"kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// report inspects a model that the tests built.
func report(t *testing.T, b *runtimetest.Builder) *runtime.Report {
	t.Helper()
	r, err := runtime.Inspect(b.Bytes(), runtime.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// long is a chain of n operators, of which one in the middle needs most memory.
// Names are what a hostile file may hold.
func long(n int) *runtimetest.Builder {
	b := &runtimetest.Builder{Inputs: []int{0}, Outputs: []int{n}}
	for i := range n + 1 {
		b.Tensors = append(b.Tensors, runtimetest.Int8("\x1b[31m<a&b>\"\xff\x00"+strings.Repeat("長", 40), 1, 0, 5000))
		if i > 0 {
			op := runtimetest.Op{Code: tflite.Relu, Inputs: []int{i - 1}, Outputs: []int{i}}
			if i == n/2 { // not in place
				b.Tensors[i].Scales, b.Tensors[i].Zeros = []float32{1.0 / 256}, []int{-128}
				op.Code, op.Options = tflite.Softmax, []any{float32(1)}
			}
			b.Ops = append(b.Ops, op)
		}
	}
	return b
}

func TestMemoryTextOfManySteps(t *testing.T) {
	var out bytes.Buffer
	if err := printMemory(&out, "long.tflite", report(t, long(1001))); err != nil {
		t.Fatal(err)
	}
	rows, peaks := 0, 0
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		if n := utf8.RuneCountInString(line); n > 100 {
			t.Errorf("got %d columns, want at most 100: %s", n, line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == utf8.RuneError }) {
			t.Errorf("got control characters: %q", line)
		}
		if strings.HasSuffix(line, "|") {
			rows++
			if strings.HasPrefix(line, "*  499 SOFTMAX ") {
				peaks++
			}
		}
	}
	if rows > textRows || rows < textRows/2 || peaks != 1 {
		t.Errorf("got %d rows, %d of them the peak, want at most %d with it", rows, peaks, textRows)
	}
}

func TestMemorySVG(t *testing.T) {
	for _, c := range []struct {
		name  string
		model *runtimetest.Builder
		wide  int // rectangles: those of blocks are at least as many
	}{
		{"smallnet", runtimetest.SmallNet(), 10},
		{"stateful", runtimetest.Stateful(), 9},
		{"successor", runtimetest.Successor(), 2},
		{"long", long(1001), 1002},
	} {
		r := report(t, c.model)
		var out, again bytes.Buffer
		if err := errors.Join(printSVG(&out, c.name, r), printSVG(&again, c.name, r)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), again.Bytes()) {
			t.Errorf("%s: two drawings of one report differ", c.name)
		}
		rects, outside := readSVG(t, out.Bytes())
		if rects < c.wide || outside > 0 {
			t.Errorf("%s: got %d rectangles, %d of them outside, want at least %d and none", c.name, rects, outside, c.wide)
		}
	}
}

// readSVG reads a document to its end, and counts its rectangles and those of
// them that do not lie within the width.
func readSVG(t *testing.T, doc []byte) (rects, outside int) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return rects, outside
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "rect" {
			continue
		}
		rects++
		at := map[string]float64{}
		for _, a := range e.Attr {
			var v float64
			if _, err := fmt.Sscanf(a.Value, "%g", &v); err == nil {
				at[a.Name.Local] = v
			}
		}
		if at["x"] < 0 || at["y"] < 0 || at["x"]+at["width"] > svgWide || at["height"] <= 0 {
			outside++
		}
	}
}
