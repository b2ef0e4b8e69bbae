package source

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// content is a Replay's Open that gives text.
func content(text string) func(string) (io.ReadCloser, error) {
	return func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
}

// drain reads a source to its end and describes what came: "x1 x2 ref" or the error.
func drain(t *testing.T, s Source) []string {
	t.Helper()
	var got []string
	for {
		sample, err := s.Next(t.Context())
		row := (*RowError)(nil)
		switch {
		case err == io.EOF:
			return got
		case errors.As(err, &row):
			got = append(got, fmt.Sprintf("%d: %v", row.Line, row.Err))
		case err != nil:
			return append(got, err.Error())
		default:
			got = append(got, strings.TrimSpace(fmt.Sprintln(sample.X, sample.Ref)))
		}
	}
}

func TestRows(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		text   string
		want   []string
	}{
		{"by position", CSV, "1,2\n 3 ,\"4\"\r\n\n5,6", []string{"[1 2]", "[3 4]", "[5 6]"}},
		{"by name, others passed over", CSV, "label,b,ref,a\nx,2,r1,1\n\"y,z\",4,\"r\"\"2\",3\n", []string{"[1 2] r1", `[3 4] r"2`}},
		{"foreign header, by position", CSV, "p,q\n1,2\n", []string{"[1 2]"}},
		{"as many columns, one name missing", CSV, "a,q\n1,2\n3,4\n", []string{
			`2: the header has no column "b": malformed row`, `3: the header has no column "b": malformed row`}},
		{"byte order mark", CSV, "\ufeffb,a,c\n1,2,3\n", []string{"[2 1]"}},
		{"one name missing", CSV, "a,c,d\n1,2,3\n", []string{`2: the header has no column "b": malformed row`}},
		{"short row under a header", CSV, "a,b,c\n1,2\n3,4,5\n", []string{"2: got 2 columns, the header has 3: malformed row", "[3 4]"}},
		{"bad fields", CSV, "1,2\n1,\n1,x\n1,NaN\n1,1e39\n1,\"2\n1,\"2\"3\n1,2,3\n4,5\n", []string{"[1 2]",
			`2: column 2: "": not a number`, `3: column 2: "x": not a number`, "4: feature 2 is NaN: not a number",
			"5: feature 2 is 1e+39: not a number", "6: a quote is not closed: malformed row",
			`7: "3" behind a closing quote: malformed row`, "8: got 3 columns, want 2: wrong number of features", "[4 5]"}},
		{"bad time", CSV, "a,b,time\n1,2,yesterday\n1,2,\n", []string{`2: time "yesterday", want RFC 3339: malformed row`, "[1 2]"}},
		{"time out of range", CSV, "a,b,time\n1,2,9999-01-01T00:00:00Z\n", []string{"2: time in the year 9999, want 1970 to 2261: malformed row"}},
		{"time out of range", JSONL, "{\"x\":[1,2],\"time\":\"1969-01-01T00:00:00Z\"}\n", []string{"1: time in the year 1969, want 1970 to 2261: malformed row"}},
		{"arrays and objects", JSONL, "[1,2]\n\n {\"ref\":\"r\",\"x\":[3, 4e0],\"more\":1}\n", []string{"[1 2]", "[3 4] r"}},
		{"not JSON", JSONL, "[1,\n[3,4]\n", []string{"1: malformed row: the JSON ends within a value", "[3 4]"}},
		{"not JSON either", JSONL, "[1,2]]\n{'x':[1,2]}\n{\"x\":[1,NaN]}\n", []string{
			"1: malformed row: no JSON at byte 6", "2: malformed row: no JSON at byte 2", "3: malformed row: no JSON at byte 9"}},
		{"bad time", JSONL, "{\"x\":[1,2],\"time\":\"yesterday\"}\n{\"x\":[1,2],\"time\":7}\n{\"x\":[1,2],\"time\":\"\"}\n", []string{
			`1: time "yesterday", want RFC 3339: malformed row`, "2: malformed row: time: got a number", "[1 2]"}},
		{"null is no zero", JSONL, "[1,null]\n{\"x\":null}\n{\"x\":[null,1]}\n[[1],2]\n[true,2]\n[\"1\",2]\n",
			[]string{"1: malformed row: feature 2: null: not a number", "2: got 0, want 2: wrong number of features",
				"3: malformed row: feature 1: null: not a number", "4: malformed row: feature 1: [1]: not a number",
				"5: malformed row: feature 1: true: not a number", "6: malformed row: feature 1: \"1\": not a number"}},
		{"counts", JSONL, "[]\n[1]\n[1,2,3]\n{}\n5\n", []string{"1: got 0, want 2: wrong number of features", "2: got 1, want 2: wrong number of features",
			"3: got 3, want 2: wrong number of features", "4: got 0, want 2: wrong number of features",
			"5: got 5, want an array or an object: malformed row"}},
		{"wrong type", JSONL, "{\"x\":[1,2],\"ref\":7}\n", []string{"1: malformed row: ref: got a number"}},
		{"over single precision", JSONL, "[1,1e39]\n[1,1e999]\n", []string{"1: malformed row: feature 2 is 1e+39: not a number", "2: malformed row: feature 2: 1e999: not a number"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := NewReplay(ReplayOptions{Path: "x", Format: c.format, Open: content(c.text)})
			if err != nil {
				t.Fatal(err)
			}
			s.Expect([]string{"a", "b"})
			if got := drain(t, s); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestRowsContext: the circumstance that a row names, in both formats.
func TestRowsContext(t *testing.T) {
	long := strings.Repeat("x", maxContext+1)
	for _, c := range []struct {
		format Format
		text   string
	}{
		{CSV, "context,a,b\nbolts,1,2\n,1,2\n" + long + ",1,2\n"},
		{JSONL, "{\"x\":[1,2],\"context\":\"bolts\"}\n[1,2]\n{\"x\":[1,2],\"context\":\"" + long + "\"}\n"},
	} {
		s, err := NewReplay(ReplayOptions{Path: "x", Format: c.format, Open: content(c.text)})
		if err != nil {
			t.Fatal(err)
		}
		s.Expect([]string{"a", "b"})
		for _, want := range []string{"bolts", ""} {
			if got, err := s.Next(t.Context()); err != nil || got.Context != want || len(got.X) != 2 {
				t.Errorf("%s: got %+v, %v, want context %q", c.format, got, err, want)
			}
		}
		if _, err := s.Next(t.Context()); !errors.Is(err, ErrForm) || !strings.Contains(err.Error(), "context of 65 bytes, at most 64") {
			t.Errorf("%s: got %v", c.format, err)
		}
	}
}

// TestMissingFeatures: an error that lists features stays readable.
func TestMissingFeatures(t *testing.T) {
	var features []string
	for i := range 20 {
		features = append(features, fmt.Sprint("f", i))
	}
	s, err := NewReplay(ReplayOptions{Path: "x.csv", Open: content("f0,y\n1,2\n")})
	if err != nil {
		t.Fatal(err)
	}
	s.Expect(features)
	_, err = s.Next(t.Context())
	if want := `x.csv:2: the header has no column "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8" and 11 more: malformed row`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestPositionIsSaid: a header of foreign names is passed over, and that is logged
// once for a model, however often the file is read.
func TestPositionIsSaid(t *testing.T) {
	for text, want := range map[string]int{"p,q\n1,2\n": 1, "b,a\n1,2\n": 0, "1,2\n": 0} {
		var log strings.Builder
		s, err := NewReplay(ReplayOptions{Path: "x.csv", Loop: true, Open: content(text), Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		s.Expect([]string{"a", "b"})
		for range 3 {
			if _, err := s.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Count(log.String(), "columns count by position"); got != want {
			t.Errorf("%q: got %d lines, want %d", text, got, want)
		}
	}
}

func TestRowsTime(t *testing.T) {
	want := time.Date(2026, 3, 1, 12, 0, 0, 5e8, time.UTC)
	for _, c := range []struct {
		format Format
		text   string
	}{
		{CSV, "a,b,time\n1,2,2026-03-01T12:00:00.5Z\n"},
		{JSONL, `{"x":[1,2],"time":"2026-03-01T12:00:00.5Z"}`},
	} {
		s, err := NewReader("in", io.NopCloser(strings.NewReader(c.text)), c.format, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Expect([]string{"a", "b"})
		got, err := s.Next(t.Context())
		if err != nil || !got.Time.Equal(want) {
			t.Errorf("%s: got %v, %v, want %v", c.format, got.Time, err, want)
		}
	}
}

func TestLongLine(t *testing.T) {
	long := strings.Repeat("7", MaxLine+1)
	exact := strings.Repeat(" ", MaxLine-5) + "[1,2]"
	s, err := NewReader("in", io.NopCloser(strings.NewReader("[1,2]\n"+long+"\n"+exact+"\n"+long)), JSONL, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Expect([]string{"a", "b"})
	want := []string{"[1 2]", "2: over 1048576 bytes: row too long", "[1 2]", "4: over 1048576 bytes: row too long"}
	if got := drain(t, s); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExpectAgain(t *testing.T) {
	s, err := NewReplay(ReplayOptions{Path: "x.csv", Open: content("a,b,c\n1,2,3\n4,5,6\n")})
	if err != nil {
		t.Fatal(err)
	}
	s.Expect([]string{"a", "b"})
	if got, err := s.Next(t.Context()); err != nil || !slices.Equal(got.X, []float32{1, 2}) {
		t.Errorf("got %v, %v, want [1 2]", got.X, err)
	}
	s.Expect([]string{"c"})
	if got, err := s.Next(t.Context()); err != nil || !slices.Equal(got.X, []float32{6}) {
		t.Errorf("with other features: got %v, %v, want [6]", got.X, err)
	}
}

func TestReplayFile(t *testing.T) {
	dir := t.TempDir()
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	io.WriteString(w, "a,b\n1,2\n")
	w.Close()
	for name, data := range map[string][]byte{
		"x.csv.gz": zipped.Bytes(), "cut.csv.gz": zipped.Bytes()[:zipped.Len()-6], "foreign.csv.gz": []byte("this is no gzip"), "x.jsonl": []byte("[1,2]\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) []string {
		s, err := NewReplay(ReplayOptions{Path: filepath.Join(dir, name)})
		if err != nil {
			return []string{err.Error()}
		}
		defer s.Close()
		s.Expect([]string{"a", "b"})
		return drain(t, s)
	}
	for name, want := range map[string][]string{
		"x.csv.gz":       {"[1 2]"},
		"x.jsonl":        {"[1 2]"},
		"cut.csv.gz":     {"[1 2]", "source: " + dir + "/cut.csv.gz: line 3: unexpected EOF"},
		"foreign.csv.gz": {"source: " + dir + "/foreign.csv.gz: not compressed with gzip, as its name says"},
		"absent.csv":     {"source: " + dir + "/absent.csv: no such file or directory"},
		"x.bin":          {"source: " + dir + "/x.bin: its extension names no format: want .csv or .jsonl"},
	} {
		if got := read(name); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestReplayLoop(t *testing.T) {
	s, err := NewReplay(ReplayOptions{Path: "x.csv", Loop: true, Open: content("b,a\n1,2\nx,y\n")})
	if err != nil {
		t.Fatal(err)
	}
	s.Expect([]string{"a", "b"})
	for range 3 {
		if got, err := s.Next(t.Context()); err != nil || !slices.Equal(got.X, []float32{2, 1}) {
			t.Fatalf("got %v, %v, want [2 1]", got.X, err)
		}
		if _, err := s.Next(t.Context()); !errors.Is(err, ErrNumber) {
			t.Fatalf("got %v, want ErrNumber", err)
		}
	}
	s, err = NewReplay(ReplayOptions{Path: "x.csv", Loop: true, Open: content("a,b\nx,y\n")})
	if err != nil {
		t.Fatal(err)
	}
	s.Expect([]string{"a", "b"})
	want := []string{`2: column 1: "x": not a number`, "source: x.csv: no sample to repeat in 2 lines"}
	if got := drain(t, s); !slices.Equal(got, want) {
		t.Errorf("without a sample: got %q, want %q", got, want)
	}
}

func TestReplayPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := NewReplay(ReplayOptions{Path: "x.csv", Rate: 10, Open: content(strings.Repeat("1\n", 40))})
		if err != nil {
			t.Fatal(err)
		}
		s.Expect([]string{"a"})
		begin := time.Now()
		next := func() time.Duration {
			if _, err := s.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
			return time.Since(begin)
		}
		for i := range 20 {
			if got, want := next(), time.Duration(i)*100*time.Millisecond; got != want {
				t.Fatalf("sample %d: got %v, want %v", i, got, want)
			}
			time.Sleep(30 * time.Millisecond) // work that must not add up
		}
		// A short delay is caught up with, a long pause is not.
		time.Sleep(470 * time.Millisecond) // now 2.4 s; samples 20 to 24 are due
		for i, want := range []time.Duration{2400, 2400, 2400, 2400, 2400, 2500} {
			if got := next(); got != want*time.Millisecond {
				t.Fatalf("sample %d after a delay: got %v, want %v", i, got, want*time.Millisecond)
			}
		}
		time.Sleep(5 * time.Second)
		for i, want := range []time.Duration{7500, 7600, 7700} {
			if got := next(); got != want*time.Millisecond {
				t.Fatalf("sample %d after a pause: got %v, want %v", i, got, want*time.Millisecond)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's error", err)
		}
	})
}

func TestReaderEndsWithContext(t *testing.T) {
	pipe, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer feed.Close()
	in, err := Interruptible(pipe)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewReader("stdin", in, JSONL, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Expect([]string{"a"})
	if _, err := feed.WriteString("[1]\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Next(t.Context()); err != nil || got.X[0] != 1 {
		t.Fatalf("got %v, %v, want [1]", got.X, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	// The file itself stays open and unread.
	if _, err := feed.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if n, err := pipe.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("the wrapped file: got %d, %v, want to read one byte", n, err)
	}
}

func TestInterruptibleEOF(t *testing.T) {
	pipe, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	in, err := Interruptible(pipe)
	if err != nil {
		t.Fatal(err)
	}
	feed.WriteString("abc")
	feed.Close()
	if got, err := io.ReadAll(in); err != nil || string(got) != "abc" {
		t.Errorf("got %q, %v, want abc", got, err)
	}
	in.Close()
	in.Close()
	if _, err := in.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: got %v, want os.ErrClosed", err)
	}
}

func TestTopic(t *testing.T) {
	s := NewTopic("plant/pump", 2)
	s.Expect([]string{"a"})
	for _, payload := range []string{"[1]", "[2]", "[3]"} {
		s.Offer([]byte(payload))
	}
	for _, want := range []float32{2, 3} {
		if got, err := s.Next(t.Context()); err != nil || got.X[0] != want || got.Time.IsZero() {
			t.Fatalf("got %v at %v, %v, want [%v] with a time", got.X, got.Time, err, want)
		}
	}
	if got := s.Dropped(); got != 1 {
		t.Errorf("dropped: got %d, want 1", got)
	}
	for _, c := range []struct {
		payload string
		want    error
	}{{"", ErrForm}, {"[1,2]", ErrCount}, {strings.Repeat("1", MaxLine+1), ErrTooLong}} {
		s.Offer([]byte(c.payload))
		_, err := s.Next(t.Context())
		row := (*RowError)(nil)
		if !errors.As(err, &row) || !errors.Is(err, c.want) || row.Name != "plant/pump" {
			t.Errorf("%.10q: got %v, want a RowError of %v", c.payload, err, c.want)
		}
	}
	go func() { s.Offer([]byte("[9]")) }()
	if got, err := s.Next(t.Context()); err != nil || got.X[0] != 9 {
		t.Errorf("waiting: got %v, %v, want [9]", got.X, err)
	}
	go s.Close()
	if _, err := s.Next(t.Context()); err != io.EOF {
		t.Errorf("after Close: got %v, want io.EOF", err)
	}
	s.Offer([]byte("[1]"))
	if _, err := s.Next(t.Context()); err != io.EOF {
		t.Errorf("offered after Close: got %v, want io.EOF", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a,b,ref\n1,\"2\",x\n"), true)
	f.Add([]byte("{\"x\":[1,2e3],\"ref\":\"r\",\"time\":\"2026-01-01T00:00:00Z\"}\n[1,2]\n"), false)
	f.Fuzz(func(t *testing.T, text []byte, csv bool) {
		format := JSONL
		if csv {
			format = CSV
		}
		s, err := NewReader("f", io.NopCloser(bytes.NewReader(text)), format, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.Expect([]string{"a", "b"})
		// Every line gives at most one result, so this ends.
		for range bytes.Count(text, []byte{'\n'}) + 2 {
			sample, err := s.Next(t.Context())
			row := (*RowError)(nil)
			switch {
			case err == io.EOF:
				return
			case errors.As(err, &row):
				if row.Line == 0 {
					t.Errorf("a row error without a line: %v", err)
				}
			case err != nil:
				t.Fatalf("got %v, want a RowError", err)
			default:
				for _, x := range sample.X {
					if x != x || x-x != 0 || len(sample.X) != 2 {
						t.Fatalf("accepted %v from %q", sample.X, text)
					}
				}
			}
		}
		t.Errorf("more results than lines in %q", text)
	})
}

// TestReaderEnded: the end of a stream is known before it is read, and what was
// not read can be counted.
func TestReaderEnded(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "x.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader := func(f *os.File) *Reader {
		t.Helper()
		in, err := Interruptible(f)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader("stdin", in, JSONL, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		r.Expect([]string{"a"})
		return r
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	const rows = "[1]\n[2]\nno row\n[3]"
	for _, f := range []*os.File{file, in} {
		if _, err := f.WriteString(rows); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	pipe := reader(out)
	if pipe.Ended() {
		t.Error("a pipe that is still written to: got ended")
	}
	in.Close()
	for name, r := range map[string]*Reader{"pipe": pipe, "file": reader(file)} {
		if !r.Ended() {
			t.Errorf("%s: got not ended", name)
		}
		if s, err := r.Next(t.Context()); err != nil || s.X[0] != 1 {
			t.Errorf("%s: got %v, %v, want the first row", name, s, err)
		}
		if n, err := r.Unread(t.Context()); n != 3 || err != nil {
			t.Errorf("%s: got %d lines, %v, want 3", name, n, err)
		}
	}
	other, err := NewReader("stdin", io.NopCloser(strings.NewReader(rows)), JSONL, nil)
	if err != nil || other.Ended() {
		t.Errorf("another reader: got ended or %v, want that nobody can tell", err)
	}
}
