package replay

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s)) // a Buffer takes everything
	_ = w.Close()
	return b.String()
}

// values reads a column; NaN as -1, which is easier to compare.
func values(text, column string) (xs []float64, name string, err error) {
	t, err := Open(strings.NewReader(text))
	if err != nil {
		return nil, "", err
	}
	c, err := t.Column(column)
	if err != nil {
		return nil, "", err
	}
	for {
		row, err := t.Next()
		if errors.Is(err, io.EOF) {
			return xs, t.Name(c), nil
		} else if err != nil {
			return xs, "", err
		}
		v, err := t.Value(row, c)
		if err != nil {
			return xs, "", err
		}
		if math.IsNaN(v) {
			v = -1
		}
		xs = append(xs, v)
	}
}

func TestTable(t *testing.T) {
	for _, c := range []struct {
		name, text, column string
		want               []float64
		wantName           string
	}{
		{"header", "a,x\n1,2\n3,4\n", "", []float64{2, 4}, "x"},
		{"header, by name", "a,x\n1,2\n3,4\n", "a", []float64{1, 3}, "a"},
		{"header, by number", "a,x\n1,2\n3,4\n", "1", []float64{1, 3}, "a"},
		{"a name that is a number", "2,1,x\na,5,6\n", "1", []float64{5}, "1"},
		{"no header", "1\n2\n3\n", "", []float64{1, 2, 3}, "column 1"},
		{"no header, by number", "1,2\n3,4\n", "2", []float64{2, 4}, "column 2"},
		{"time stamps, no header", "mon,0.5\ntue,0.6\n", "", []float64{0.5, 0.6}, "column 2"},
		{"time stamps, header", "day,conf\nmon,0.5\ntue,0.6\n", "", []float64{0.5, 0.6}, "conf"},
		{"header with numbers", "day,7\nmon,0.5\n", "", []float64{7, 0.5}, "column 2"},
		{"no x: first with numbers", "day,p,q\nmon,0.5,1\n", "", []float64{0.5}, "p"},
		{"missing first", "p\nNaN\n0.5\n", "", []float64{-1, 0.5}, "p"},
		{"missing", "x,y\n,1\nNaN,1\n na ,1\nnull,1\ninf,1\n-Infinity,1\n1e999,1\n0.5,1\n", "x", []float64{-1, -1, -1, -1, -1, -1, -1, 0.5}, "x"},
		{"semicolons", "x;y\n0.5;1\n", "", []float64{0.5}, "x"},
		{"tabs", "y\tx\n1\t0.5\n", "", []float64{0.5}, "x"},
		{"windows", "\xef\xbb\xbfx,y\r\n0.5,1\r\n", "", []float64{0.5}, "x"},
		{"blank lines", "x\n\n0.5\n\n\"\"\n0.6", "", []float64{0.5, -1, 0.6}, "x"},
		{"quoted", "\"x\",\"a, b\"\n\"0.5\",\"c\nd\"\n0.6,\n", "", []float64{0.5, 0.6}, "x"},
		{"zipped", zipped("x\n0.5\n"), "", []float64{0.5}, "x"},
		{"header alone", "x\n", "", nil, "x"},
	} {
		got, name, err := values(c.text, c.column)
		if err != nil || !slices.Equal(got, c.want) || name != c.wantName {
			t.Errorf("%s: got %v of %q (%v), want %v of %q", c.name, got, name, err, c.want, c.wantName)
		}
	}
}

func TestTableErrors(t *testing.T) {
	for _, c := range []struct {
		name, text, column string
		want               error
		says               string
	}{
		{"nothing", "", "", ErrEmpty, "empty"},
		{"blank lines", "\n\n", "", ErrEmpty, "empty"},
		{"header alone, no x", "a,b\n", "", ErrEmpty, "no row"},
		{"text", "x\n1\n2\nsick\n", "", ErrTable, `line 4: x: not a table of numbers: "sick" is no number`},
		{"text after quoted lines", "x,y\n1,\"a\nb\"\nsick,\n", "", ErrTable, "line 4:"},
		{"text alone", "a\nb\nc\n", "", ErrTable, "no cell is a number"},
		{"long text", "x\n1\n" + strings.Repeat("ü", 100), "", ErrTable, "…"},
		{"decimal comma", "x;y\n0,5;1\n0,6;1\n", "x", ErrTable, `"0,5" is no number`},
		{"endless line", "x\n1\n" + strings.Repeat("1", maxLine+1<<16), "", ErrTable, "line 3: not a table of numbers: longer than"},
		{"quote", "x\n\"1\n2\n", "", ErrTable, "line 3"},
		{"short row", "a,b\n1,2\n3\n", "b", ErrTable, "line 3: not a table of numbers: 1 cells, want at least 2"},
		{"no such name", "a,b\n1,2\n", "c", ErrColumn, "want one of a, b"},
		{"no such number", "a,b\n1,2\n", "0", ErrColumn, "want 1 to 2"},
		{"name without header", "1,2\n", "a", ErrColumn, "no header"},
		{"zipped and cut", zipped("x\n1\n2\n")[:20], "", ErrTable, "compressed"},
		{"zipped and damaged", "\x1f\x8bx", "", ErrTable, "compressed"},
		{"binary", "\x00\x01\x02\xff,\n\x03", "1", ErrTable, "is no number"},
	} {
		_, _, err := values(c.text, c.column)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", c.name, err, c.want, c.says)
		}
	}
}

// FuzzTable: no bytes may panic, and whatever is read as a table replays, or is
// refused with a reason.
func FuzzTable(f *testing.F) {
	for _, text := range []string{"x\n0.5\n\n0.6\n", "a;b\n1;2\n", "1,2\n3\n", zipped("x\n1\n"), "\"", "\xef\xbb\xbfx\r\nNaN\r\n7"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var trace, drawing bytes.Buffer
		chart := new(Chart)
		r, err := Run(bytes.NewReader(text), Options{Detector: "river_cusum", Params: map[string]string{"min_instances": "2"}, Trace: &trace, Chart: chart})
		if err != nil {
			return
		}
		if lines := strings.Count(trace.String(), "\n"); int64(lines) != r.Rows+1 || r.Rows == 0 {
			t.Errorf("got %d lines of trace for %d rows", lines, r.Rows)
		}
		chart.signal = "" // may hold anything
		if err := chart.WriteSVG(&drawing, "fuzz"); err != nil || bytes.Contains(drawing.Bytes(), []byte("NaN")) || bytes.Contains(drawing.Bytes(), []byte("Inf")) {
			t.Errorf("got a drawing with NaN or Inf, or %v", err)
		}
	})
}
