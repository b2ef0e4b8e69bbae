package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/runtime/runtimetest"
)

// TestInstructions fails where a model of MLPerf Tiny takes more instructions
// than docs/insns.md allows; with KEDGE_ACCEPT=1 the larger models too.
func TestInstructions(t *testing.T) {
	if os.Getenv("KEDGE_INSNS") != "1" {
		t.Skip("cross-builds and emulates for a minute: KEDGE_INSNS=1 runs it, as does make insns")
	}
	o := options{conformance: runtimetest.Shared(t, "conformance"), table: "docs/insns.md"}
	pattern := "^mlperf"
	if os.Getenv("KEDGE_ACCEPT") == "1" {
		pattern = ""
	}
	if err := o.only(pattern, ""); err != nil {
		t.Fatal(err)
	}
	t.Chdir("../../..")
	base, err := readTable(o.table)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(base)); len(got) != len(models) {
		t.Errorf("%s: got %v, want a row for each of %v", o.table, got, models)
	}
	if err := o.run(); err != nil {
		t.Error(err)
	}
}

func TestTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "insns.md")
	base := table{models[0]: {cpus[0].name: 1_000_000, cpus[1].name: 2_000_000}}
	if err := base.write(path); err != nil {
		t.Fatal(err)
	}
	read, err := readTable(path)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(read[models[0]], base[models[0]]) {
		t.Errorf("read back: got %v, want %v", read, base)
	}
	now := table{models[0]: {cpus[0].name: 1_020_000, cpus[1].name: 2_040_100}, models[1]: {cpus[0].name: 5}}
	if got := now.worse(read); len(got) != 1 || !strings.Contains(got[0], models[0]+" on "+cpus[1].name+": 2040100 instructions") {
		t.Errorf("got %q, want the second processor alone", got)
	}
	both := table{models[0]: {cpus[1].name: 7}}.over(read)
	if want := map[string]int64{cpus[0].name: 1_000_000, cpus[1].name: 7}; !maps.Equal(both[models[0]], want) {
		t.Errorf("over: got %v, want %v", both[models[0]], want)
	}
}

func TestDamagedTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "insns.md")
	for _, text := range []string{"| model | a |\n|---|---:|\n| m | many |\n", "| model | a |\n| m | 1 | 2 |\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readTable(path); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestOnly(t *testing.T) {
	var o options
	if err := o.only("kws|ad_", "a72"); err != nil || len(o.models) != 2 || len(o.cpus) != 1 {
		t.Errorf("got %v on %v (%v), want two models on one processor", o.models, cpuNames(o.cpus), err)
	}
	for _, pattern := range []string{"(", "abacus"} {
		var o options
		if err := o.only("", pattern); err == nil {
			t.Errorf("%q: got %v, want an error", pattern, o.cpus)
		}
	}
}
