package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const dir = ".." // docs/vectors

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// onDisk reads all vectors as another implementation would find them.
func onDisk(t *testing.T) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if name = filepath.ToSlash(name); entry.IsDir() && name == "generate" {
			return fs.SkipDir
		}
		if !entry.IsDir() {
			files[name], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// The committed vectors are those that the program makes, byte for byte.
func TestRegenerate(t *testing.T) {
	want, err := vectors()
	if err != nil {
		t.Fatal(err)
	}
	got := onDisk(t)
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s: got %d bytes, want %d others; run go run ./docs/vectors/generate", name, len(got[name]), len(data))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is not made by the program", name)
		}
	}
}

func TestWrite(t *testing.T) {
	tmp := t.TempDir()
	if err := write(tmp); err != nil {
		t.Fatal(err)
	}
	for name, want := range onDisk(t) {
		if got, err := os.ReadFile(filepath.Join(tmp, filepath.FromSlash(name))); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %d bytes, %v, want %d", name, len(got), err, len(want))
		}
	}
	if err := write(filepath.Join(tmp, "keys.json")); err == nil || !strings.Contains(err.Error(), "keys.json") {
		t.Errorf("writing below a file: got %v, want an error that names it", err)
	}
}
