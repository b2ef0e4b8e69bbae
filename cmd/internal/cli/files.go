package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// How large a file of a kind may be. What is larger is no such file, and a board
// whose memory it would fill should not find out by reading it.
const (
	MaxDocument int64 = 64 << 10                            // a signed document or a configuration of the centre
	MaxPackage  int64 = 80 << 20                            // a .kedge file: a bundle of 64 MiB and what is around it
	MaxModel    int64 = 256 << 20 << (2 * (^uint(0) >> 63)) // a model: 1 GiB, on 32-bit machines 256 MiB
)

// ReadFile reads a whole file of at most [MaxModel] bytes. The error has the form
// "<path>: <finding>".
func ReadFile(path string) ([]byte, error) { return ReadFileMax(path, MaxModel) }

// ReadFileMax is ReadFile with a limit in bytes. It takes regular files only: to
// open or read a pipe or a device may never end, and then signals do not end it.
func ReadFileMax(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, FileError(path, err)
	case info.IsDir():
		return nil, FileError(path, syscall.EISDIR)
	case !info.Mode().IsRegular():
		return nil, WithHint(fmt.Errorf("%s: not a regular file", path), "copy what it gives into a file first")
	case info.Size() > limit:
		return nil, tooLarge(path, info.Size(), limit)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, FileError(path, err)
	}
	defer f.Close()
	// bytes.MinRead more, so that it sees the end without growing.
	content := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	n, err := content.ReadFrom(io.LimitReader(f, limit+1)) // it may have grown meanwhile
	if err == nil && n > limit {
		return nil, tooLarge(path, n, limit)
	}
	return content.Bytes(), FileError(path, err)
}

func tooLarge(path string, size, limit int64) error {
	return fmt.Errorf("%s: too large: %d bytes, at most %d are read here", path, size, limit)
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
