package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kedge/cmd/internal/cli"
)

// A training runs in a folder of its own, where a relative path leads nowhere.
func TestResolveCommand(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, mode := range map[string]os.FileMode{"train.sh": 0o700, "data.csv": 0o600} {
		if err := os.WriteFile(name, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	script := filepath.Join(dir, "train.sh")
	for text, want := range map[string][]string{
		"":                       nil,
		"./train.sh --epochs 3 ": {script, "--epochs", "3"},
		"train.sh":               {script},
		script:                   {script},
	} {
		got, err := resolveCommand("command", text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: got %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{" ", "./none.sh", "none.sh", "./data.csv"} {
		got, err := resolveCommand("command", text)
		if cli.Code(err) != cli.ExitUsage || cli.Hint(err) == "" {
			t.Errorf("%q: got %q, %v, want a usage error with a hint", text, got, err)
		}
	}
}
