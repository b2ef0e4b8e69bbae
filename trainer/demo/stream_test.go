package demo

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func writeBatch(t *testing.T, dir, name, text string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if strings.HasSuffix(name, ".gz") {
		z := gzip.NewWriter(f)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// batch makes a batch of n rows; the first feature counts, the second names the batch.
func batch(n int, mark string) string {
	var b strings.Builder
	b.WriteString("gas,ppm,f1,f2\n")
	for i := range n {
		b.WriteString([]string{"1", "2"}[i%2] + ",50," + strings.Repeat("1", i%5+1) + "." + mark + "," + mark + "\n")
	}
	return b.String()
}

func TestReadBatches(t *testing.T) {
	dir := t.TempDir()
	writeBatch(t, dir, "batch10.csv.gz", batch(4, "10"))
	writeBatch(t, dir, "batch1.csv.gz", batch(6, "1"))
	writeBatch(t, dir, "batch2.csv", batch(4, "2"))
	writeBatch(t, dir, "batch8.csv.gz", batch(3, "8"))
	writeBatch(t, dir, "SOURCE.md", "not a batch")
	s, err := readBatches(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Train) != 7 || !reflect.DeepEqual(s.Features, []string{"f1", "f2"}) {
		t.Errorf("got %d training rows of %v, want 70 %% of 10 rows of f1 and f2", len(s.Train), s.Features)
	}
	var got []string
	for _, st := range s.Stages {
		got = append(got, st.Name)
	}
	want := []string{"batches 1 and 2, held out", "batch 8", "batch 10"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("stages: got %q, want %q", got, want)
	}
	if n := len(s.Stages[0].Rows); n != 3 {
		t.Errorf("held out: got %d rows, want 3", n)
	}
	for _, row := range append(s.Train, s.Stages[0].Rows...) {
		if row.X[1] > 2 {
			t.Errorf("row %v of a later batch among the first", row)
		}
	}
	again, err := readBatches(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, again) {
		t.Error("the same seed gave another stream")
	}
	other, err := readBatches(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(s.Train, other.Train) {
		t.Error("another seed gave the same split")
	}
}

func TestReadBatchesErrors(t *testing.T) {
	good := batch(4, "1")
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"too few", map[string]string{"batch1.csv": good, "batch2.csv": good}, "at least 3"},
		{"twice", map[string]string{"batch1.csv": good, "batch2.csv": good, "batch3.csv": good, "batch3.csv.gz": good}, "same batch"},
		{"other columns", map[string]string{"batch1.csv": good, "batch2.csv": good, "batch3.csv": "a,b,x,y\n1,2,3,4\n"}, "columns differ"},
		{"no number", map[string]string{"batch1.csv": good, "batch2.csv": good, "batch3.csv": good + "1,2,x,4\n"}, "line 6: column f1"},
		{"not finite", map[string]string{"batch1.csv": good, "batch2.csv": good, "batch3.csv": good + "1,2,3,NaN\n"}, "column f2"},
		{"no rows", map[string]string{"batch1.csv": good, "batch2.csv": good, "batch3.csv": "gas,ppm,f1,f2\n"}, "no rows"},
		{"no features", map[string]string{"batch1.csv": "gas,ppm\n1,2\n", "batch2.csv": good, "batch3.csv": good}, "2 columns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range tt.files {
				writeBatch(t, dir, name, text)
			}
			if _, err := readBatches(dir, 1); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// The simulated pump has to be a fair pump: equal seeds give equal lives, all
// conditions occur in every stage, and wear moves features that health does not.
func TestSimulatePump(t *testing.T) {
	s := simulatePump(3)
	if !reflect.DeepEqual(s, simulatePump(3)) {
		t.Error("the same seed gave another pump")
	}
	stages := append([]Stage{{"training", s.Train}}, s.Stages...)
	var means []float64
	for _, st := range stages {
		seen := map[string]int{}
		mean := 0.0
		for _, row := range st.Rows {
			if len(row.X) != len(s.Features) {
				t.Fatalf("%s: %d features, want %d", st.Name, len(row.X), len(s.Features))
			}
			seen[row.Label]++
			mean += float64(row.X[5]) / float64(len(st.Rows)) // radial_outer_race
		}
		if len(seen) != len(pumpConditions) {
			t.Errorf("%s: got conditions %v, want all of %v", st.Name, seen, pumpConditions)
		}
		means = append(means, mean)
	}
	if s.Features[5] != "radial_outer_race" {
		t.Fatalf("feature 5 is %s", s.Features[5])
	}
	if d := means[1] - means[0]; d > 1 || d < -1 {
		t.Errorf("outer race, held out: %.2f dB from training, want the same pump", d)
	}
	for i := 2; i < len(means); i++ {
		if means[i] < means[i-1]+1 {
			t.Errorf("outer race, stage %d: got %.2f dB after %.2f, want it to grow with wear", i, means[i], means[i-1])
		}
	}
}
