package update

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A FileSystem is the handful of calls by which slots are written. It is a seam:
// tests cut the power between any two of them.
type FileSystem interface {
	ReadFile(name string) ([]byte, error)
	// OpenFile opens a file for reading and writing, creating it if absent.
	OpenFile(name string) (File, error)
	Rename(from, to string) error
	// Remove deletes a file; an absent one is an error that is fs.ErrNotExist.
	Remove(name string) error
	MkdirAll(name string) error
	// SyncDir makes renames, creations and removals in a directory durable.
	SyncDir(name string) error
}

// A File is an open file of a FileSystem.
type File interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Close() error
}

// osFiles is the operating system's file system.
type osFiles struct{}

func (osFiles) ReadFile(name string) ([]byte, error) { return os.ReadFile(name) }
func (osFiles) OpenFile(name string) (File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
}
func (osFiles) Rename(from, to string) error { return os.Rename(from, to) }
func (osFiles) Remove(name string) error     { return os.Remove(name) }
func (osFiles) MkdirAll(name string) error   { return os.MkdirAll(name, 0o755) }

func (osFiles) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems (FAT on old kernels) cannot sync a directory and say
	// EINVAL; there is nothing better to do on them.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

// replaceFile gives a file new content such that a power cut leaves either the
// old or the new one: write beside it, sync, rename, sync the directory.
func replaceFile(files FileSystem, name string, content []byte) error {
	temp := name + ".new"
	if err := writeSynced(files, temp, content); err != nil {
		return err
	}
	if err := files.Rename(temp, name); err != nil {
		return err
	}
	return files.SyncDir(filepath.Dir(name))
}

func writeSynced(files FileSystem, name string, content []byte) error {
	f, err := files.OpenFile(name)
	if err != nil {
		return err
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(content, 0)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// removeAll deletes those of the named files that exist.
func removeAll(files FileSystem, names ...string) error {
	for _, name := range names {
		if err := files.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// storageError says in plain words what a failed write means.
func storageError(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("disk full: free space for %s: %w: %w", dir, ErrStorage, err)
	}
	return fmt.Errorf("cannot write to %s: %w: %w", dir, ErrStorage, err)
}
