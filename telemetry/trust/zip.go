package trust

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"time"
)

// zipEpoch is the earliest time that a zip archive can hold. Every entry has
// it, so that equal files give equal archives.
var zipEpoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func addFile(w *zip.Writer, name string, data []byte, method uint16) error {
	f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: zipEpoch})
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return err
}

// maxEntries bounds the directory of an archive. Reading one takes several
// times its size in memory, and a .kedge file is opened before anything about
// it is known.
const maxEntries = 64

// zipDirectorySignature begins every entry of a zip archive's central directory.
var zipDirectorySignature = []byte("PK\x01\x02")

// readZip returns the wanted files of an archive, of limit bytes together.
// Other entries are passed over, so that later formats can add some.
func readZip(data []byte, wanted []string, limit int64) (map[string][]byte, error) {
	// The number of entries that the archive states of itself proves nothing, and
	// the standard library reads on past it. No entry goes without its signature.
	if n := bytes.Count(data, zipDirectorySignature); n > maxEntries {
		return nil, fmt.Errorf("%d entries, at most %d: %w: %w", n, maxEntries, ErrBundle, ErrTooLarge)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	files := make(map[string][]byte, len(wanted))
	for _, name := range wanted {
		for _, f := range r.File {
			if f.Name != name {
				continue
			}
			if _, twice := files[name]; twice {
				return nil, fmt.Errorf("%s stands twice: %w", name, ErrBundle)
			}
			content, err := readFile(f, limit)
			if err != nil {
				return nil, fmt.Errorf("%s: %w: %w", name, ErrBundle, err)
			}
			limit -= int64(len(content))
			files[name] = content
		}
	}
	return files, nil
}

// readFile reads at most limit bytes, whatever size the entry claims.
func readFile(f *zip.File, limit int64) ([]byte, error) {
	rc, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	content, err := io.ReadAll(io.LimitReader(rc, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, ErrTooLarge
	}
	return content, nil
}
