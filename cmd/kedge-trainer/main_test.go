package main

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"kedge/cmd/internal/cli"
	"kedge/trainer/release"
)

// A signal ends every command with one word, wherever it was.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	if err := release.Init(filepath.Join(dir, "keys"), release.InitOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, args := range [][]string{
		{"assign", "--dir", dir, "--site", "s", "--device", "d", "--name", "hum"},
		{"serve", "--dir", dir, "--listen", "127.0.0.1:0"},
		{"bundle", "--dir", dir, "--name", "hum", filepath.Join(dir, "out.kedge")},
	} {
		var out, said bytes.Buffer
		code := program().Main(ctx, cli.Env{Stdout: &out, Stderr: &said}, args)
		if code != cli.ExitFailure || said.String() != "kedge-trainer: interrupted\n" {
			t.Errorf("%s: got code %d, %q", args[0], code, said.String())
		}
	}
}
