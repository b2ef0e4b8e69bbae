package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

var digestForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

// PutBlob keeps data and returns its name, the lower-case hexadecimal SHA-256.
// It is on the disk, whole, before the name can be found.
func (s *Store) PutBlob(data []byte) (string, error) {
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	path := filepath.Join(s.blobs, name)
	if st, err := os.Stat(path); err == nil && st.Size() == int64(len(data)) {
		return name, nil
	}
	f, err := os.CreateTemp(s.blobs, ".new-*")
	if err != nil {
		return "", fmt.Errorf("blob: %w", err)
	}
	defer os.Remove(f.Name()) // after the renaming it has no effect
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("blob %s: %w", name, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return "", fmt.Errorf("blob %s: %w", name, err)
	}
	return name, syncDir(s.blobs)
}

// Blob returns a blob's bytes after checking them against its name.
func (s *Store) Blob(digest string) ([]byte, error) {
	f, err := s.openBlob(digest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", digest, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != digest {
		return nil, fmt.Errorf("blob %s: %w", digest, ErrDigest)
	}
	return data, nil
}

// BlobPart returns the bytes of a blob from offset, at most size of them; none
// at its end or beyond. Whoever receives parts checks them.
func (s *Store) BlobPart(digest string, offset int64, size int) ([]byte, error) {
	f, err := s.openBlob(digest)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	part := make([]byte, size)
	n, err := f.ReadAt(part, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("blob %s at %d: %w", digest, offset, err)
	}
	return part[:n], nil
}

func (s *Store) openBlob(digest string) (*os.File, error) {
	// The name comes from a stranger's message and becomes a path.
	if !digestForm.MatchString(digest) {
		return nil, fmt.Errorf("blob %.80q: no SHA-256: %w", digest, ErrNotFound)
	}
	f, err := os.Open(filepath.Join(s.blobs, digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("blob %s: %w", digest, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("blob %s: %w", digest, err)
	}
	return f, nil
}

// syncDir makes a renaming last over a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
