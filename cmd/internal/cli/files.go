package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadFile is os.ReadFile with an error in the form "<path>: <finding>".
func ReadFile(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	return b, FileError(path, err)
}

// WriteFile creates or replaces path with what write produces. The content goes
// to a temporary file in the same folder, which takes path's name only when
// all of it has reached the disk: a failure leaves path as it was. A path that
// is no regular file (a terminal, a pipe, /dev/null) is written directly.
func WriteFile(path string, write func(io.Writer) error) error {
	if st, err := os.Stat(path); err == nil && !st.Mode().IsRegular() {
		return writeTo(path, func() (*os.File, error) { return os.OpenFile(path, os.O_WRONLY, 0) }, write, closeFile)
	}
	var temp string
	create := func() (*os.File, error) {
		f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
		if err == nil {
			temp = f.Name()
		}
		return f, err
	}
	publish := func(f *os.File) error {
		// CreateTemp chooses 0600, which is for secrets; this is for results.
		if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
			return err
		}
		return os.Rename(temp, path)
	}
	err := writeTo(path, create, write, publish)
	if err != nil && temp != "" {
		os.Remove(temp)
	}
	return err
}

func closeFile(f *os.File) error { return f.Close() }

// writeTo opens, fills and finishes one file; errors of the file itself name
// path, errors of write's own sources stay as they are.
func writeTo(path string, open func() (*os.File, error), write func(io.Writer) error, finish func(*os.File) error) error {
	f, err := open()
	if err != nil {
		return FileError(path, err)
	}
	defer f.Close() // after finish it has no effect
	w := &fileWriter{f: f}
	if err := write(w); err != nil {
		if w.err != nil {
			return FileError(path, w.err)
		}
		return err
	}
	return FileError(path, finish(f))
}

// fileWriter remembers whether the file, rather than the source, failed.
type fileWriter struct {
	f   *os.File
	err error
}

func (w *fileWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// FileError puts the object before the finding, where package os puts the
// system call and possibly a temporary name.
func FileError(path string, err error) error {
	if err == nil {
		return nil
	}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	if le := (*os.LinkError)(nil); errors.As(err, &le) {
		err = le.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// PrintJSON writes v as one indented JSON object and a newline.
func PrintJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
