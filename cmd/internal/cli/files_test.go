package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReadFileMax: only a regular file of a size that fits is opened at all.
func TestReadFileMax(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sparse := file("sparse", "")
	if err := os.Truncate(sparse, 1<<40); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path  string
		limit int64
		want  string // the content, or what follows the path in the error
	}{
		{file("fits", "12345678"), 8, "12345678"},
		{file("empty", ""), 8, ""},
		{file("long", "123456789"), 8, "too large: 9 bytes, at most 8 are read here"},
		{sparse, MaxModel, "too large: 1099511627776 bytes"},
		{fifo, 8, "not a regular file"},
		{dir, 8, "is a directory"},
		{os.DevNull, 8, "not a regular file"},
		{filepath.Join(dir, "none"), 8, "no such file or directory"},
	} {
		got, err := ReadFileMax(tt.path, tt.limit)
		if err == nil && string(got) == tt.want {
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), tt.path+": "+tt.want) {
			t.Errorf("%s: got %q, %v, want %s", tt.path, got, err, tt.want)
		}
	}
}
