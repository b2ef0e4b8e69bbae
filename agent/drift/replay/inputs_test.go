package replay

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kedge/agent/drift/inputs"
)

// features writes a CSV with a text column, a label, and three features of which one
// is constant before row 600 and another shifts there.
func features(n int) string {
	var b strings.Builder
	b.WriteString("time,still,flat,moving,Class\n")
	for i := range n {
		flat, moving := 3.0, float64(i*37%101)
		if i >= 600 {
			flat, moving = float64(i%7), moving+60
		}
		fmt.Fprintf(&b, "t%d,%d,%v,%v,%d\n", i, i*31%97, flat, moving, i/600)
	}
	return b.String()
}

func TestInputs(t *testing.T) {
	r, err := Inputs(strings.NewReader(features(1000)), InputsOptions{ReferenceRows: 500})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Features) == 0 || r.Detections[0] < 600 || r.Detections[0] > 640 || !slices.Equal(r.Features[0].Moved, []string{"flat", "moving"}) {
		t.Errorf("got %+v, want flat and moving soon after 600", r)
	}
	r, err = Inputs(strings.NewReader(features(1000)), InputsOptions{ReferenceRows: 500, Exclude: []string{"flat", "4"}})
	if err != nil || len(r.Detections) != 0 {
		t.Errorf("both excluded: got %+v, %v, want no alarm", r, err)
	}
	// In a context of its own what follows row 600 is never compared with what was before.
	r, err = Inputs(strings.NewReader(features(1000)), InputsOptions{ReferenceRows: 500, Context: "Class"})
	if err != nil || len(r.Detections) != 0 || r.Unwatched != 400 {
		t.Errorf("context: got %+v, %v, want no alarm and 400 rows unwatched", r, err)
	}
}

func TestInputsRefuse(t *testing.T) {
	for _, c := range []struct {
		name, table string
		o           InputsOptions
		want        error
	}{
		{"empty", "", InputsOptions{ReferenceRows: 100}, ErrEmpty},
		{"header", "a,b\n", InputsOptions{ReferenceRows: 100}, ErrEmpty},
		{"no numbers", "a,b\nx,y\n", InputsOptions{ReferenceRows: 100}, ErrTable},
		{"labels alone", "target\n1\n", InputsOptions{ReferenceRows: 100}, ErrTable},
		{"text among numbers", features(50) + "t,off,1,1,1\n", InputsOptions{ReferenceRows: 100}, ErrTable},
		{"short row", features(50) + "t\n", InputsOptions{ReferenceRows: 100}, ErrTable},
		{"no such context", features(50), InputsOptions{ReferenceRows: 100, Context: "hour"}, ErrColumn},
		{"no such column", features(50), InputsOptions{ReferenceRows: 100, Exclude: []string{"x"}}, ErrColumn},
		{"few rows", features(50), InputsOptions{ReferenceRows: 100}, inputs.ErrReference},
		{"no reference", features(50), InputsOptions{}, inputs.ErrReference},
		{"reference of 10", features(50), InputsOptions{ReferenceRows: 10}, inputs.ErrReference},
	} {
		if r, err := Inputs(strings.NewReader(c.table), c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: got %+v, %v, want %v", c.name, r, err, c.want)
		}
	}
}

// TestRunReferenceRows: the first rows as a reference do the same as a file of them.
func TestRunReferenceRows(t *testing.T) {
	ref, rest := series(600, 0.9), series(100, 0.9, 0.6)
	want := mustRun(t, rest, Options{Reference: strings.NewReader(ref)})
	var trace strings.Builder
	chart := new(Chart)
	got := mustRun(t, ref+strings.TrimPrefix(rest, "x\n"), Options{ReferenceRows: 600, Trace: &trace, Chart: chart})
	if lines := strings.Split(trace.String(), "\n"); len(lines) != 802 || !strings.HasSuffix(lines[600], ",,") || strings.HasSuffix(lines[601], ",,") {
		t.Errorf("got a trace of %d lines, want one per row and figures from row 600 on", len(lines))
	}
	if len(want.Detections) == 0 || len(got.Detections) != len(want.Detections) || got.Rows != want.Rows+600 {
		t.Fatalf("got %+v, want %+v 600 rows later", got, want)
	}
	if chart.first != got.Detections[0] || chart.rows != got.Rows {
		t.Errorf("got a chart of %d rows with an alarm at %d, want %d and %d", chart.rows, chart.first, got.Rows, got.Detections[0])
	}
	for i := range want.Detections {
		if got.Detections[i] != want.Detections[i]+600 {
			t.Errorf("got an alarm at %d, want it 600 rows after %d", got.Detections[i], want.Detections[i])
		}
	}
	for _, c := range []struct {
		o    Options
		want error
	}{
		{Options{ReferenceRows: 601}, ErrEmpty},
		{Options{ReferenceRows: 10, Reference: strings.NewReader(ref)}, ErrOptions},
		{Options{ReferenceRows: 10, Detector: "cusum"}, ErrOptions},
	} {
		if _, err := Run(strings.NewReader(ref), c.o); !errors.Is(err, c.want) {
			t.Errorf("%+v: got %v, want %v", c.o, err, c.want)
		}
	}
}
