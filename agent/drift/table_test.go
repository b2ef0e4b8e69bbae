package drift

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestKinds: every row makes its detector, whose account has the row's names.
func TestKinds(t *testing.T) {
	needed := map[string]map[string]string{
		PageHinkley: {"mu0": "0.95", "lambda": "2"}, EDetector: {"mu0": "0.94"},
	}
	names := make(map[string]bool)
	for _, k := range Kinds() {
		for _, name := range append([]string{k.Name}, k.Aliases...) {
			if found, err := KindOf(name); err != nil || found.Name != k.Name || names[name] {
				t.Errorf("%s: got %s (%v), want %s, once", name, found.Name, err, k.Name)
			}
			names[name] = true
		}
		d := mustKind(t, k.Name, needed[k.Name])
		a := d.Explain()
		if d.Name() != k.Name || a.Formula != k.Formula || k.Source == "" {
			t.Errorf("%s: got detector %s with %+v", k.Name, d.Name(), a)
		}
		var stats []string
		for _, f := range a.State {
			stats = append(stats, f.Name)
			if !finite(f.Value) {
				t.Errorf("%s: new: %s is %v", k.Name, f.Name, f.Value)
			}
		}
		if !slices.Equal(stats, k.Stats) {
			t.Errorf("%s: got statistics %v, want %v", k.Name, stats, k.Stats)
		}
		if _, ok := makers[k.Name]; ok != k.Device {
			t.Errorf("%s: a monitor runs it: %v, the table says %v", k.Name, ok, k.Device)
		}
	}
	if len(makers) > maxDetectors {
		t.Errorf("a monitor runs %d detectors, its course has room for %d", len(makers), maxDetectors)
	}
}

func TestKindParameters(t *testing.T) {
	for _, c := range []struct {
		kind, name, value string
		want              string // in the error; empty for none
	}{
		{"river_ph", "threshold", "2.45", ""},
		{"river_ph", "lambda", "0", ""},
		{"river_ph", "delta", "0", ""},
		{"river_ph", "min_instances", "0", ""},
		{"river_ph", "mode", "down", ""},
		{"river_ph", "mode", "left", "both or up or down"},
		{"river_ph", "alpha", "0", ""},
		{"river_ph", "alpha", "1.1", "(0, 1]"},
		{"river_ph", "min_instances", "2.5", "whole number"},
		{"river_ph", "min_instances", "1e18", "whole number"},
		{"river_ph", "min_instances", "-1", "at least"},
		{"river_ph", "lambada", "1", "want one of mode, delta, lambda, threshold"},
		{"river_ph", "delta", "NaN", "a number"},
		{"moa_ph", "min_instances", "0", ""},
		{"moa_ph", "delta", "-1", "at least 0"},
		{"cusum", "slack", "0", ""},
		{"cusum", "k", "-1", "at least 0"},
		{"cusum", "h", "0", "more than 0"},
		{"cusum", "min_instances", "0", "at least 1"},
		{"adwin", "delta", "0", "(0, 1]"},
		{"adwin", "clock", "0", "at least 1"},
		{"adwin", "max_buckets", "1", "2 to 64"},
		{"adwin", "max_buckets", "0", "2 to 64"},
		{"adwin", "min_window_length", "0", "at least 1"},
		{"adwin", "grace_period", "0", ""},
		{"adwin", "compat", "moa", ""},
		{"ddm", "warm_start", "0", ""},
		{"ddm", "warm_start", "-1", "at least 0"},
		{"ddm", "drift_threshold", "0", "more than 0"},
		{"page-hinkley", "mu0", "0.9", "lambda is needed"},
		{"e-sr", "arl", "100", "mu0 is needed"},
	} {
		k, err := KindOf(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.New(map[string]string{c.name: c.value})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s %s=%s: got %v, want no error", c.kind, c.name, c.value, err)
		case c.want != "" && (!errors.Is(err, ErrParameter) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s %s=%s: got %v, want ErrParameter with %q", c.kind, c.name, c.value, err, c.want)
		}
	}
	k, _ := KindOf("river_ph")
	if _, err := k.New(map[string]string{"lambda": "1", "threshold": "2"}); !errors.Is(err, ErrParameter) {
		t.Errorf("the same parameter twice: got %v, want ErrParameter", err)
	}
	if _, err := KindOf("adwim"); !errors.Is(err, ErrUnknownDetector) || !strings.Contains(err.Error(), "river_adwin") {
		t.Errorf("got %v, want ErrUnknownDetector with the names", err)
	}
}

// TestKindZeros: a zero that is written means zero, not the default.
func TestKindZeros(t *testing.T) {
	xs := []float64{0.1, 0.4, 0.2, 0.9, 0.9, 0.8}
	for _, c := range []struct{ kind, name string }{
		{"river_ph", "delta"}, {"river_ph", "lambda"}, {"moa_ph", "delta"}, {"cusum", "slack"}, {"ddm", "warm_start"},
	} {
		params := map[string]string{c.name: "0"}
		if c.kind == "cusum" {
			params["min_instances"] = "2"
		} else if c.kind != "ddm" {
			params["min_instances"] = "0"
		}
		zero := mustKind(t, c.kind, params)
		delete(params, c.name)
		standard := mustKind(t, c.kind, params)
		same := true
		for _, x := range xs {
			zero.Update(x)
			standard.Update(x)
			same = same && zero.Statistic() == standard.Statistic()
		}
		if c.name == "lambda" {
			same = zero.Threshold() > 1e-300
		}
		if same {
			t.Errorf("%s: %s=0 works like its default", c.kind, c.name)
		}
	}
}

// TestKindsAreDocumented: docs/drift.md has a row with rule and source of each.
func TestKindsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/drift.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds() {
		if row := fmt.Sprintf("| `%s` | %s | %s |\n", k.Name, k.Formula, k.Source); !strings.Contains(string(text), row) {
			t.Errorf("docs/drift.md lacks the row %q", row)
		}
		for _, alias := range k.Aliases {
			if !strings.Contains(string(text), "`"+alias+"`") {
				t.Errorf("docs/drift.md lacks the alias %q", alias)
			}
		}
	}
}
