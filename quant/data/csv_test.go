package data

import (
	"bytes"
	"compress/gzip"
	"reflect"
	"strings"
	"testing"

	"kedge/runtime/tensor"
)

func TestLoadCSV(t *testing.T) {
	two := func(y []int, classes ...string) Samples {
		return Samples{X: []float32{1, 2.5, -3, 4e2}, Shape: tensor.Shape{2}, Y: y, Classes: classes}
	}
	for _, c := range []struct {
		name, content string
		o             Options
		want          Samples
	}{
		{"header", "a,b\n1,2.5\n-3,4e2\n", Options{}, two(nil)},
		{"no header, no last line feed", "1,2.5\n-3,4e2", Options{}, two(nil)},
		{"mark, CRLF, blank lines, spaces", "\ufeffa,b\r\n\r\n 1 , 2.5\r\n-3,4e2 \r\n\r\n", Options{}, two(nil)},
		{"quotes", "\"a, b\",c,\"say \"\"d\"\"\"\n\"1\",x,2.5\n-3,y,\"4e2\"\n", Options{LabelColumn: "c"}, two([]int{0, 1}, "x", "y")},
		{"numbers", "a,class,b\n1,7,2.5\n-3,0.0,4e2\n", Options{LabelColumn: "class"}, two([]int{7, 0})},
		{"sorted names", "class,a,b\nsick,1,2.5\nfine,-3,4e2\n", Options{LabelColumn: "class"}, two([]int{1, 0}, "fine", "sick")},
		{"names in the model's order", "class,a,b\nsick,1,2.5\nfine,-3,4e2\n", Options{LabelColumn: "class", Classes: []string{"odd", "sick", "fine"}},
			two([]int{1, 2}, "odd", "sick", "fine")},
		{"numbers of named classes", "1,2.5,0\n-3,4e2,1\n", Options{LabelColumn: "3", Classes: []string{"x", "y"}}, two([]int{0, 1}, "x", "y")},
		{"names that are numbers", "1,2.5,0\n-3,4e2,1\n", Options{LabelColumn: "3", Classes: []string{"1", "0"}}, two([]int{1, 0}, "1", "0")},
		{"a number and a name", "a,b,c\n1,2.5,10\n-3,4e2,9+\n", Options{LabelColumn: "c"}, two([]int{0, 1}, "10", "9+")},
		{"classes unread", "a,y,b\n1,,2.5\n-3,-1,4e2\n", Options{LabelColumn: "y", Unlabeled: true}, two(nil)},
		{"scaled", "1,2\n", Options{Scale: 0.5, Offset: 1}, Samples{X: []float32{1.5, 2}, Shape: tensor.Shape{2}}},
		{"a field of two lines", "\"a\nb\",c\n1,2\n", Options{}, Samples{X: []float32{1, 2}, Shape: tensor.Shape{2}}},
	} {
		loads(t, c.name, put(t, t.TempDir(), "x.csv", []byte(c.content)), c.o, c.want)
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		if _, err := w.Write([]byte(c.content)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		loads(t, c.name+", compressed", put(t, t.TempDir(), "x.csv.gz", z.Bytes()), c.o, c.want)
	}
}

func TestLoadCSVRefuses(t *testing.T) {
	label := Options{LabelColumn: "y"}
	for _, c := range []struct {
		name, content string
		o             Options
		want          error
		words         string
	}{
		{"empty", "", Options{}, ErrSamples, "empty"},
		{"mark alone", "\ufeff", Options{}, ErrSamples, "empty"},
		{"header alone", "a,b\n", Options{}, ErrSamples, "header"},
		{"text", "a,b\n1,2\n3,cat\n", Options{}, ErrFormat, `line 3, column 3: data: malformed file: column "b": "cat" is no number`},
		{"text without header", "1,2\n3,cat\n", Options{}, ErrFormat, `line 2, column 3: data: malformed file: column 2: "cat"`},
		{"empty field", "a,b\n1,\n", Options{}, ErrFormat, `line 2, column 3: data: malformed file: column "b" is empty`},
		{"NaN", "a,b\n1,NaN\n", Options{}, ErrFormat, "line 2, column 3"},
		{"infinite", "1,2\n1,-inf\n", Options{}, ErrFormat, "line 2, column 3"},
		{"beyond float32", "1,2\n1,1e39\n", Options{}, ErrFormat, "float32"},
		{"short line", "a,b\n1,2\n3\n", Options{}, ErrFormat, "line 3: data: malformed file: 1 column, the first line has 2"},
		{"long line", "1,2\n3,4,5\n", Options{}, ErrFormat, "line 2: data: malformed file: 3 columns"},
		{"quote", "a,b\n1,\"2\n", Options{}, ErrFormat, "line 2, column 6"},
		{"bare quote", "a,b\n1,2\"\n", Options{}, ErrFormat, "line 2, column 4"},
		{"semicolons", "a;b\n1;2\n", Options{}, ErrFormat, "commas"},
		{"label named", "a,c\n1,cat\n", Options{}, ErrFormat, "label"},
		{"no such label", "a,b\n1,2\n", label, ErrMissing, `line 1: data: array or column is missing: no label column "y" among "a", "b"`},
		{"label by name, no header", "1,2\n", label, ErrMissing, "no header, want a number from 1 to 2"},
		{"label beyond", "1,2\n", Options{LabelColumn: "3"}, ErrMissing, "1 to 2"},
		{"label twice", "y,y\n1,2\n", label, ErrFormat, "twice"},
		{"label alone", "y\n1\n", label, ErrFormat, "no column of values"},
		{"label empty", "a,y\n1,2\n1,\n", label, ErrFormat, "line 3, column 3: data: malformed file: the label is empty"},
		{"label negative", "a,y\n1,2\n1,-1\n", label, ErrFormat, `line 3: data: malformed file: class "-1", want whole numbers from 0`},
		{"label fraction", "a,y\n1,2\n1,0.5\n", label, ErrFormat, "line 3"},
		{"unknown class", "a,y\n1,cat\n1,cow\n", Options{LabelColumn: "y", Classes: []string{"cat", "dog"}}, ErrFormat, `line 3: data: malformed file: class "cow" is none of the 2`},
		{"class beyond", "a,y\n1,0\n1,2\n", Options{LabelColumn: "y", Classes: []string{"cat", "dog"}}, ErrFormat, "0 to 1"},
		{"limit", "1\n2\n3\n", Options{Limit: 8}, ErrTooLarge, "line 3"},
		{"limit of a line", "1,2,3\n", Options{Limit: 8}, ErrTooLarge, "[3]"},
		{"endless quote", "a,b\n\"" + strings.Repeat("1\n", maxRecord), Options{}, ErrTooLarge, "behind line 1"},
		{"endless line", strings.Repeat("1,", maxRecord), Options{}, ErrTooLarge, "record"},
		{"many classes", "a,y\n" + numbered(maxClasses+1), label, ErrTooLarge, "different labels"},
	} {
		refuses(t, c.name, put(t, t.TempDir(), "x.csv", []byte(c.content)), c.o, c.want, c.words)
	}
	refuses(t, "not compressed", put(t, t.TempDir(), "x.csv.gz", []byte("a,b\n1,2\n")), Options{}, ErrFormat, "not compressed")
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write([]byte(strings.Repeat("1,2\n", 1000))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	refuses(t, "compressed and cut", put(t, t.TempDir(), "x.csv.gz", z.Bytes()[:z.Len()-9]), Options{}, ErrFormat, "line")
}

// numbered makes lines of a value and a number each.
func numbered(n int) string {
	var s strings.Builder
	for i := range n {
		s.WriteString("1,")
		for k := i; ; k /= 10 {
			s.WriteByte(byte('0' + k%10))
			if k < 10 {
				break
			}
		}
		s.WriteString("5\n")
	}
	return s.String()
}

// FuzzCSV: any bytes give an error or samples within the limit, a class for each
// where there is a label column; twice the same.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("a,b,y\n1,2,cat\n3,4,dog\n"), "y")
	f.Add([]byte("1,2,0\n3,4,1\n"), "3")
	f.Add([]byte("\ufeff\"a\n\"\"\",b\r\n1,\" 2\"\r\n"), "")
	f.Fuzz(func(t *testing.T, content []byte, label string) {
		const limit = 1 << 10
		read := func() (Samples, error) {
			b, err := newBuilder(Options{Limit: limit, LabelColumn: label})
			if err != nil {
				t.Fatal(err)
			}
			err = b.csv(bytes.NewReader(content))
			return b.Samples, err
		}
		s, err := read()
		if err != nil {
			return
		}
		n, ok := s.Shape.Elements()
		if !ok || n == 0 || len(s.X) == 0 || len(s.X)%n != 0 || 4*len(s.X) > limit {
			t.Fatalf("%d values for shape %v", len(s.X), s.Shape)
		}
		for i, v := range s.X {
			if !finite(v) {
				t.Fatalf("value %d is %v", i, v)
			}
		}
		if (label != "") != (s.Y != nil) || s.Y != nil && len(s.Y) != s.Count() {
			t.Fatalf("label column %q: %d classes for %d samples", label, len(s.Y), s.Count())
		}
		for _, y := range s.Y {
			if y < 0 || s.Classes != nil && y >= len(s.Classes) {
				t.Fatalf("class %d of %d", y, len(s.Classes))
			}
		}
		if again, err := read(); err != nil || !reflect.DeepEqual(again, s) {
			t.Fatalf("read again: got %+v, %v, want %+v", again, err, s)
		}
	})
}
