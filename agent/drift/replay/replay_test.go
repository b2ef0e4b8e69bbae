package replay

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"kedge/agent/drift"
)

// series writes a CSV with a column x: n rows about each level, the same each time.
func series(n int, levels ...float64) string {
	var b strings.Builder
	b.WriteString("x\n")
	for _, level := range levels {
		for i := range n {
			fmt.Fprintln(&b, level+float64(i*37%64-32)/1024)
		}
	}
	return b.String()
}

func mustRun(t *testing.T, signal string, o Options) Result {
	t.Helper()
	r, err := Run(strings.NewReader(signal), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRunMonitor: the pair learns or takes a reference, its first alarm is marked, and
// every alarm is a detection.
func TestRunMonitor(t *testing.T) {
	for _, c := range []struct {
		name      string
		o         Options
		reference string
		n         int
		learned   int
	}{
		{"learned", Options{}, "", 600, 500},
		{"given", Options{}, series(600, 0.9), 50, 0},
		{"given, small", Options{}, series(10, 0.9), 600, 500},
		{"one detector", Options{Detector: drift.EDetector, ARL: 1000}, series(600, 0.9), 50, 0},
		{"complement", Options{Complement: true}, "", 600, 500},
	} {
		signal := series(c.n, 0.9, 0.6)
		if c.o.Complement {
			signal = series(c.n, 0.1, 0.4)
		}
		if c.reference != "" {
			c.o.Reference = strings.NewReader(c.reference)
		}
		r := mustRun(t, signal, c.o)
		if len(r.Detections) < 2 || r.Detections[0] < int64(c.n) || r.Detections[0] > int64(c.n)+40 {
			t.Errorf("%s: got alarms %v, want several, the first within 40 rows of %d", c.name, r.Detections, c.n)
		}
		var rows []int64
		for i, a := range r.Alarms {
			rows = append(rows, a.Row)
			if a.First != (i == 0) || len(a.Fired) == 0 {
				t.Errorf("%s: alarm %d: got %+v, want the first alone marked", c.name, i, a)
			}
		}
		if !slices.Equal(rows, r.Detections) {
			t.Errorf("%s: got alarms in %v, detections in %v", c.name, rows, r.Detections)
		}
		if len(r.Monitors) != 1 || r.Monitors[0].State != drift.Latched || r.Monitors[0].Learned != c.learned {
			t.Errorf("%s: got %+v, want one monitor, latched, %d learned", c.name, r.Monitors, c.learned)
		}
	}
}

// TestRunContexts: a rhythm is no drift where the context tells it, and a change in
// one context is found in that one.
func TestRunContexts(t *testing.T) {
	var reference, signal strings.Builder
	write := func(b *strings.Builder, days int, night float64) {
		b.WriteString("shift,x\n")
		for i := range 50 * days {
			wobble := float64(i*37%64-32) / 1024
			fmt.Fprintf(b, "day,%v\nnight,%v\n", 0.9+wobble, night+wobble)
		}
	}
	write(&reference, 12, 0.5)
	write(&signal, 2, 0.5)
	o := Options{Context: "shift", Reference: strings.NewReader(reference.String())}
	if r := mustRun(t, signal.String(), o); len(r.Detections) != 0 {
		t.Errorf("in control: got alarms %v", r.Detections)
	}
	signal.Reset()
	write(&signal, 2, 0.4)
	o.Reference = strings.NewReader(reference.String())
	r := mustRun(t, signal.String(), o)
	if len(r.Alarms) == 0 {
		t.Fatal("a change in one context was not found")
	}
	if len(r.Monitors) != 1 || r.Monitors[0].Contexts != 2 || r.Monitors[0].State != drift.Latched || r.Monitors[0].Context != "" {
		t.Errorf("got monitors %+v, want one, latched, of two contexts", r.Monitors)
	}
	rows := reference.String() + strings.TrimPrefix(signal.String(), "shift,x\n")
	first := mustRun(t, rows, Options{Context: "shift", ReferenceRows: 1200})
	for i := range first.Detections {
		first.Detections[i] -= 1200
	}
	if !slices.Equal(first.Detections, r.Detections) {
		t.Errorf("with the reference in the same file: got %v, want %v", first.Detections, r.Detections)
	}
	signal.WriteString("dawn,0.9\n")
	o.Reference = strings.NewReader(reference.String())
	if r := mustRun(t, signal.String(), o); r.Monitors[0].Unknown != 1 {
		t.Errorf("got %d rows in unknown contexts, want 1", r.Monitors[0].Unknown)
	}
}

// TestRunContextsLearned: without a reference every context learns its own, and a
// change in one is found in that one.
func TestRunContextsLearned(t *testing.T) {
	var b strings.Builder
	b.WriteString("shift,x\n")
	for i := range 700 {
		wobble, night := float64(i*37%64-32)/1024, 0.5
		if i >= 600 {
			night = 0.4
		}
		fmt.Fprintf(&b, "day,%v\nnight,%v\n", 0.9+wobble, night+wobble)
	}
	r := mustRun(t, b.String(), Options{Context: "shift"})
	if len(r.Alarms) == 0 {
		t.Fatal("a change in one context was not found")
	}
	for _, a := range r.Alarms {
		if a.Context != "night" || a.Row%2 != 1 {
			t.Errorf("got %+v, want alarms at night alone", a)
		}
	}
	if len(r.Monitors) != 2 || r.Monitors[0].Context != "day" || r.Monitors[0].State != drift.Stable {
		t.Errorf("got monitors %+v, want day, stable, and night", r.Monitors)
	}
}

func TestRunErrors(t *testing.T) {
	many := "c,x\n"
	for i := range maxContexts + 1 {
		many += fmt.Sprintf("k%d,0.5\n", i)
	}
	for _, c := range []struct {
		name, signal string
		o            Options
		want         error
	}{
		{"detector", "x\n1\n", Options{Detector: "sarima"}, drift.ErrUnknownDetector},
		{"parameter", "x\n1\n", Options{Detector: "ddm", Params: map[string]string{"delta": "1"}}, drift.ErrParameter},
		{"parameter of the pair", "x\n1\n", Options{Params: map[string]string{"alpha": "1"}}, drift.ErrParameter},
		{"delta of the pair", "x\n1\n", Options{Params: map[string]string{"delta": "2"}}, drift.ErrParameter},
		{"run length", "x\n1\n", Options{ARL: 10}, drift.ErrParameter},
		{"run length twice", "x\n1\n", Options{Detector: "e-sr", ARL: 1000, Params: map[string]string{"arl": "1000"}}, ErrOptions},
		{"run length for nothing", "x\n1\n", Options{Detector: "adwin", ARL: 1000}, ErrOptions},
		{"reference for nothing", "x\n1\n", Options{Detector: "adwin", Reference: strings.NewReader("x\n1\n")}, ErrOptions},
		{"reference without numbers", "x\n1\n", Options{Reference: strings.NewReader("x\nNaN\n")}, ErrEmpty},
		{"reference without rows", "x\n1\n", Options{Reference: strings.NewReader("x\n")}, ErrEmpty},
		{"no rows", "x\n", Options{}, ErrEmpty},
		{"no numbers", "x\nNaN\n", Options{}, ErrEmpty},
		{"context", "x\n1\n", Options{Context: "c"}, ErrColumn},
		{"contexts", many, Options{Column: "x", Context: "c"}, ErrContexts},
		{"contexts of the reference", "c,x\n1,1\n", Options{Column: "x", Context: "c", Reference: strings.NewReader(many)}, ErrContexts},
	} {
		if r, err := Run(strings.NewReader(c.signal), c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: got %+v, %v, want %v", c.name, r, err, c.want)
		}
	}
}

// TestRunDetectors: a detector that is given all that a reference would say runs by
// itself; skipped rows keep their place in trace and numbering.
func TestRunDetectors(t *testing.T) {
	var trace bytes.Buffer
	r := mustRun(t, "x\n0.75\nNaN\n0.25\n0.25\n", Options{
		Detector: drift.PageHinkley, Params: map[string]string{"mu0": "0.75", "delta": "0", "lambda": "0.75"}, Trace: &trace,
	})
	if want := "x,s\n0.75,0\n,0\n0.25,0.5\n0.25,1\n"; trace.String() != want || !slices.Equal(r.Detections, []int64{3}) || r.Skipped != 1 {
		t.Errorf("got %+v and trace %q, want an alarm in row 3 and %q", r, trace.String(), want)
	}
	trace.Reset()
	r = mustRun(t, series(100, 0.9, 0.6), Options{Detector: drift.EDetector, Params: map[string]string{"mu0": "0.88", "arl": "1000"}, Trace: &trace})
	if len(r.Detections) == 0 || r.Detections[0] < 100 || !strings.HasPrefix(trace.String(), "x,log_e\n") || r.Monitors != nil {
		t.Errorf("got %+v, want alarms from row 100 on and no monitor", r)
	}
}

// TestChart: however many rows, the drawing stays small, is XML, and shows the alarm
// and the one low sample.
func TestChart(t *testing.T) {
	for _, n := range []int{1, 2, 10, 1600, 1601, 100000} {
		chart, signal := new(Chart), "x\n"+strings.Repeat("0.5\n", n)
		if n == 100000 {
			signal = "x\n" + strings.Repeat("0.5\n", 77777) + "-7\n" + strings.Repeat("0.5\n", 22222)
		}
		r := mustRun(t, signal, Options{Detector: drift.CUSUM, Chart: chart})
		var b bytes.Buffer
		if err := chart.WriteSVG(&b, `a<b>&"c`); err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%d rows: %v", n, err)
			}
		}
		if b.Len() > 200<<10 || strings.Contains(b.String(), "NaN") || chart.rows != r.Rows || len(chart.bins) > chartBins {
			t.Errorf("%d rows: got %d bytes, %d bins over %d rows", n, b.Len(), len(chart.bins), chart.rows)
		}
		if n < 100000 {
			continue
		}
		if e := chart.signals(); e.low != -7 || e.high != 0.5 || !strings.Contains(b.String(), "first alarm at row 77777") {
			t.Errorf("got range %+v and first alarm %d, want -7 to 0.5, row 77777", e, chart.first)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{
		{0, 1.2, []float64{0, 0.5, 1}}, {0, 99, []float64{0, 20, 40, 60, 80}}, {-3, 7, []float64{-2, 0, 2, 4, 6}}, {0, 0, []float64{0}},
	} {
		if got := ticks(c.low, c.high, 5); !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
			t.Errorf("%v to %v: got %v, want %v", c.low, c.high, got, c.want)
		}
	}
}

// TestChartExtremes: nothing that a file may hold breaks the drawing.
func TestChartExtremes(t *testing.T) {
	chart := new(Chart)
	mustRun(t, "x\n1.7e308\n-1.7e308\n5e-324\n\"\"\n0\n", Options{Detector: "river_ph", Params: map[string]string{"lambda": "0"}, Chart: chart})
	var b bytes.Buffer
	if err := chart.WriteSVG(&b, "extremes"); err != nil || strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
		t.Errorf("got %v and a drawing with NaN or Inf", err)
	}
}
