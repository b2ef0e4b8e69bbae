package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kedge/agent/drift"
	"kedge/cmd/internal/cli"
	"kedge/runtime/runtimetest"
)

// TestDriftReplayGolden types what a person would to repeat what river and MOA
// computed, and compares alarms and every number of the trace.
func TestDriftReplayGolden(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(runtimetest.Shared(t, "drift", "golden"), "*.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	for _, path := range paths {
		var c struct {
			Runs []struct {
				ID, Detector, Input string
				Params              map[string]any
				Detections          []int64
				Stats               []string
			}
		}
		text, err := os.ReadFile(strings.TrimSuffix(path, ".csv.gz") + ".json")
		if err == nil {
			err = json.Unmarshal(text, &c)
		}
		if err != nil {
			t.Fatal(err)
		}
		want := columnsOf(t, path)
		for _, run := range c.Runs {
			if _, err := drift.KindOf(run.Detector); err != nil {
				continue // of a project that is not imitated
			}
			runs++
			name := filepath.Base(path) + " " + run.ID
			trace := filepath.Join(t.TempDir(), "trace.csv")
			args := []string{"drift", "replay", "--detector", run.Detector, "--trace", trace}
			for k, v := range run.Params {
				args = append(args, "--param", fmt.Sprint(k, "=", v))
			}
			if run.Input == "1-x" {
				args = append(args, "--complement")
			}
			var result struct{ Detections []int64 }
			if err := json.Unmarshal([]byte(says(t, append(args, path)...)), &result); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !slices.Equal(result.Detections, run.Detections) || result.Detections == nil {
				t.Errorf("%s: got alarms %v, want %v", name, result.Detections, run.Detections)
			}
			got := columnsOf(t, trace)
			for column, as := range map[string]string{"x": "x", run.Stats[0]: run.ID + "_" + run.Stats[0], run.Stats[1]: run.ID + "_" + run.Stats[1]} {
				if !slices.Equal(got[column], want[as]) {
					t.Errorf("%s: column %s differs", name, column)
				}
			}
			if last := run.Stats[len(run.Stats)-1]; !slices.Equal(got[last], want[run.ID+"_"+last]) || len(got) != len(run.Stats)+1 {
				t.Errorf("%s: column %s of %d differs", name, last, len(got))
			}
		}
	}
	if runs != 107 {
		t.Errorf("compared %d runs, want 107", runs)
	}
}

// says runs the program and returns what it printed.
func says(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := program().Main(t.Context(), cli.Env{Stdout: &out, Stderr: &errs}, args); code != 0 || errs.Len() > 0 {
		t.Fatalf("%q: got exit code %d, %s", args, code, errs.String())
	}
	return out.String()
}

// columnsOf reads a CSV file, gzipped or not; what is no number is left out of a
// column.
func columnsOf(t *testing.T, path string) map[string][]float64 {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader = bytes.NewReader(content)
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := make(map[string][]float64)
	for i, name := range rows[0] {
		for _, row := range rows[1:] {
			if v, err := strconv.ParseFloat(row[i], 64); err == nil {
				columns[name] = append(columns[name], v)
			}
		}
	}
	return columns
}
