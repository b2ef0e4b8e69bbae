package data

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Named is an array under its name in an archive.
type Named struct {
	Name  string
	Array Array
}

// ReadNPZ reads the arrays called names from the .npz file at path, together
// at most limit bytes, in the order of names.
// Errors match ErrFormat, ErrUnsupported, ErrTooLarge or ErrMissing, or are the
// file system's.
func ReadNPZ(path string, limit int64, names ...string) ([]Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	arrays, err := readNPZ(f, info.Size(), limit, names)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return arrays, nil
}

func readNPZ(r io.ReaderAt, size, limit int64, names []string) ([]Array, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w: no .npz archive: %w", ErrFormat, err)
	}
	arrays := make([]Array, len(names))
	for i, name := range names {
		at := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == name+".npy" })
		if at < 0 {
			return nil, fmt.Errorf("%w: no %q among %s", ErrMissing, name, contents(z))
		}
		if arrays[i], err = readEntry(z.File[at], limit); err != nil {
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		limit -= int64(len(arrays[i].Data))
	}
	return arrays, nil
}

func readEntry(f *zip.File, limit int64) (Array, error) {
	r, err := f.Open()
	if err != nil {
		return Array{}, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	defer r.Close()
	a, err := ReadNPY(r, limit)
	if err != nil {
		return Array{}, asFormat(err)
	}
	// Reading to the end makes the archive check the entry's CRC-32.
	if n, err := io.Copy(io.Discard, io.LimitReader(r, 1)); err != nil {
		return Array{}, asFormat(err)
	} else if n > 0 {
		return Array{}, fmt.Errorf("%w: bytes behind the elements", ErrFormat)
	}
	return a, nil
}

// asFormat turns what the decompressor says about broken data into ErrFormat.
func asFormat(err error) error {
	for _, own := range []error{ErrFormat, ErrUnsupported, ErrTooLarge} {
		if errors.Is(err, own) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrFormat, err)
}

func contents(z *zip.Reader) string {
	names := make([]string, 0, len(z.File))
	for _, f := range z.File {
		names = append(names, strings.TrimSuffix(f.Name, ".npy"))
		if len(names) == 10 {
			break
		}
	}
	return fmt.Sprintf("%q", names)
}

// WriteNPZ writes an uncompressed archive that numpy.load reads. Entries carry
// no time, so that equal arrays give equal bytes.
func WriteNPZ(w io.Writer, arrays ...Named) error {
	z := zip.NewWriter(w)
	for _, a := range arrays {
		e, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store})
		if err != nil {
			return fmt.Errorf("array %q: %w", a.Name, err)
		}
		if err := WriteNPY(e, a.Array); err != nil {
			return fmt.Errorf("array %q: %w", a.Name, err)
		}
	}
	return z.Close()
}
