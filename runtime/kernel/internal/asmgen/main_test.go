package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestGenerated: what is committed is what the generators write.
func TestGenerated(t *testing.T) {
	for name := range files {
		got, err := os.ReadFile(filepath.Join("..", "..", name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, generate(name)) {
			t.Errorf("%s is not what asmgen writes: run go generate ./runtime/kernel", name)
		}
	}
}
