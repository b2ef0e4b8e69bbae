package dataset

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/telemetry/wire"
	"kedge/trainer/store"
)

func TestReadCSV(t *testing.T) {
	const text = "gas,ppm,a,b\n10,1,1.5,-2\n2,1,3,4\n10,9,0,1e3\n"
	o := CSVOptions{Label: "gas", Ignore: []string{"ppm"}, Transform: TransformSignedLog1p, Transforms: map[string]string{"b": TransformNone}}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(text))
	z.Close()
	for name, data := range map[string]string{"plain": text, "gzip": packed.String(), "byte order mark": "\ufeff" + text, "CRLF": strings.ReplaceAll(text, "\n", "\r\n")} {
		got, err := ReadCSV(strings.NewReader(data), o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.Equal(got.Columns, []store.Column{{Name: "a", Transform: TransformSignedLog1p}, {Name: "b", Transform: TransformNone}}) ||
			!slices.Equal(got.Classes, []string{"2", "10"}) || !slices.Equal(got.Y, []int{1, 0, 1}) ||
			!slices.Equal(got.X, []float32{1.5, -2, 3, 4, 0, 1000}) {
			t.Errorf("%s: got %+v", name, got)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadCSVRefuses(t *testing.T) {
	for _, c := range []struct {
		name, text string
		o          CSVOptions
		want       error
		says       string
	}{
		{"empty", "", CSVOptions{Label: "y"}, ErrFormat, "header"},
		{"no rows", "y,a\n", CSVOptions{Label: "y"}, ErrFormat, "no rows"},
		{"no label", "a,b\n1,2\n", CSVOptions{Label: "y"}, ErrColumns, `"y"`},
		{"no features", "y\n1\n", CSVOptions{Label: "y"}, ErrColumns, "no features"},
		{"unknown column to ignore", "y,a\n1,2\n", CSVOptions{Label: "y", Ignore: []string{"z"}}, ErrColumns, `"z"`},
		{"unknown feature to transform", "y,a\n1,2\n", CSVOptions{Label: "y", Transforms: map[string]string{"z": TransformNone}}, ErrColumns, `"z"`},
		{"unknown transform", "y,a\n1,2\n", CSVOptions{Label: "y", Transform: "sqrt"}, ErrColumns, "sqrt"},
		{"same name twice", "y,a,a\n1,2,3\n", CSVOptions{Label: "y"}, ErrColumns, "twice"},
		{"a word", "y,a\nx,1\nx,hot\n", CSVOptions{Label: "y"}, ErrFormat, "line 3, column a"},
		{"a hole", "y,a\nx,\n", CSVOptions{Label: "y"}, ErrFormat, "line 2"},
		{"not a number", "y,a\nx,NaN\n", CSVOptions{Label: "y"}, ErrFormat, "line 2"},
		{"too great for float32", "y,a\nx,1e39\n", CSVOptions{Label: "y"}, ErrFormat, "line 2"},
		{"short line", "y,a\nx\n", CSVOptions{Label: "y"}, ErrFormat, "line 2"},
		{"empty class", "y,a\n,1\n", CSVOptions{Label: "y"}, ErrFormat, "line 2"},
		{"broken gzip", "\x1f\x8bxxxxxxxxxxxx", CSVOptions{Label: "y"}, ErrFormat, "gzip"},
	} {
		_, err := ReadCSV(strings.NewReader(c.text), c.o)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v with %q", c.name, err, c.want, c.says)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("y,a\nx,1\n")
	f.Add("\x1f\x8b")
	f.Add("y,\"a\nb\",c\nx,1,2\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := ReadCSV(strings.NewReader(text), CSVOptions{Label: "y"})
		if err == nil && len(table.Classes) > 1 {
			err = table.Validate()
			if err != nil {
				t.Errorf("read, but %v", err)
			}
		}
	})
}

func column(names ...string) []store.Column {
	var all []store.Column
	for _, name := range names {
		all = append(all, store.Column{Name: name, Transform: TransformNone})
	}
	return all
}

func TestAppend(t *testing.T) {
	a := &Table{Columns: column("a"), Classes: []string{"x", "z"}, X: []float32{1, 2}, Y: []int{0, 1}}
	b := &Table{Columns: column("a"), Classes: []string{"y", "x"}, X: []float32{3, 4}, Y: []int{0, 1}}
	if err := a.Append(b); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Classes, []string{"x", "y", "z"}) || !slices.Equal(a.Y, []int{0, 2, 1, 0}) || !slices.Equal(a.X, []float32{1, 2, 3, 4}) {
		t.Errorf("got %+v", a)
	}
	if err := a.Append(&Table{Columns: column("b")}); !errors.Is(err, ErrColumns) {
		t.Errorf("got %v, want ErrColumns", err)
	}
}

func TestBaseSet(t *testing.T) {
	want := &Table{Columns: column("a", "b"), Classes: []string{"x", "y"}, X: []float32{1, -2.5, 3, 4}, Y: []int{1, 0}}
	got, err := FromBaseSet(want.BaseSet("m", time.Time{}))
	if err != nil || !slices.Equal(got.X, want.X) || !slices.Equal(got.Y, want.Y) {
		t.Errorf("got %+v, %v", got, err)
	}
	spoiled := want.BaseSet("m", time.Time{})
	spoiled.X = spoiled.X[4:]
	if _, err := FromBaseSet(spoiled); !errors.Is(err, ErrFormat) {
		t.Errorf("got %v, want ErrFormat", err)
	}
}

// waves is a table of n rows that are all different.
func waves(n int) *Table {
	t := &Table{Columns: column("a", "b"), Classes: []string{"x", "y"}}
	for i := range n {
		t.X = append(t.X, float32(math.Sin(float64(i))), float32(i))
		t.Y = append(t.Y, i%2)
	}
	return t
}

func TestClean(t *testing.T) {
	table := waves(100)
	copy(table.Row(1), table.Row(3))  // same class: a repetition
	copy(table.Row(10), table.Row(5)) // other class: a contradiction
	table.Row(50)[0] = 1e6
	kept, aside, r := table.Clean()
	want := Report{Rows: 96, Duplicates: 1, Conflicts: 2, Quarantined: 1}
	if r != want || kept.Len() != 96 || aside.Len() != 3 {
		t.Errorf("got %+v, %d kept, %d aside, want %+v", r, kept.Len(), aside.Len(), want)
	}
	if err := kept.Validate(); err != nil {
		t.Error(err)
	}
}

func TestSplit(t *testing.T) {
	y := slices.Concat(slices.Repeat([]int{0}, 100), slices.Repeat([]int{1}, 10), []int{2, 3, 3})
	first, second := Split(y, 0.3, 1)
	count := map[int]int{}
	for _, i := range second {
		count[y[i]]++
	}
	if count[0] != 30 || count[1] != 3 || count[2] != 0 || count[3] != 1 {
		t.Errorf("got %v in the second part, want 30, 3, 0, 1", count)
	}
	all := slices.Sorted(slices.Values(slices.Concat(first, second)))
	for i, v := range all {
		if v != i {
			t.Fatalf("rows are missing or there twice at %d", i)
		}
	}
	if again, _ := Split(y, 0.3, 1); !slices.Equal(first, again) {
		t.Error("the same seed gave other parts")
	}
	if other, _ := Split(y, 0.3, 2); slices.Equal(first, other) {
		t.Error("another seed gave the same parts")
	}
}

func TestField(t *testing.T) {
	base := waves(10)
	sample := func(i int, x []float32, label string) store.Sample {
		return store.Sample{ID: fmt.Sprint("d/b/", i), Device: "d", X: wire.PackFloat32s(x), Label: label, Answered: "y", Evidence: "e"}
	}
	var samples []store.Sample
	for i := range 40 {
		// Far from the base set, all of them: that is drift and no reason for quarantine.
		samples = append(samples, sample(i, []float32{1000 + float32(i%7), float32(i)}, "x"))
	}
	samples[1].X = wire.PackFloat32s([]float32{1, 2, 3})
	samples[2].Label = "unheard of"
	samples[3].X = samples[4].X
	samples[5].X, samples[5].Label = samples[6].X, "y"
	samples[7].X = wire.PackFloat32s([]float32{-1e9, 7})
	samples[8].Quarantine = "by hand"
	samples[9].Answered = "gone"
	f, err := Field(base, samples)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"d/b/1": ReasonShape, "d/b/2": ReasonClass, "d/b/5": ReasonConflict, "d/b/6": ReasonConflict,
		"d/b/7": ReasonOutlier, "d/b/8": "by hand",
	}
	for id, reason := range want {
		if f.Quarantine[id] != reason {
			t.Errorf("%s: got %q, want %q", id, f.Quarantine[id], reason)
		}
	}
	if len(f.Quarantine) != len(want) || f.Report.Duplicates != 1 || f.Len() != 33 || len(f.IDs) != 33 || len(f.Answered) != 33 {
		t.Errorf("got %d in quarantine, %+v, %d rows", len(f.Quarantine), f.Report, f.Len())
	}
	at := slices.Index(f.IDs, "d/b/9")
	if at < 0 || f.Answered[at] != -1 || f.Answered[0] != 1 || f.Y[at] != 0 {
		t.Errorf("answers or labels are wrong: %v %v", f.Answered, f.Y)
	}
	samples[0].X = []byte{1}
	if _, err := Field(base, samples); err == nil {
		t.Error("a vector of one byte was taken")
	}
}

// Recorded gas sensors have heavy tails: cleaning has to leave them alone.
func TestCleanRecordedData(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "gas_sensor_drift")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
			t.Fatal(err)
		}
		t.Skip("no recorded data in ../shared/data/gas_sensor_drift")
	}
	for batch := 1; batch <= 6; batch++ {
		f, err := os.Open(filepath.Join(dir, fmt.Sprintf("batch%d.csv.gz", batch)))
		if err != nil {
			t.Fatal(err)
		}
		table, err := ReadCSV(f, CSVOptions{Label: "gas", Ignore: []string{"ppmv"}, Transform: TransformSignedLog1p})
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		_, _, r := table.Clean()
		t.Logf("batch %d: %v", batch, r)
		if r.Quarantined*100 > table.Len() {
			t.Errorf("batch %d: got %d outliers of %d, want at most 1 %%", batch, r.Quarantined, table.Len())
		}
	}
}
