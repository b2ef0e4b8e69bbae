package update

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
)

// errPower is what every call returns once the power is gone.
var errPower = errors.New("power cut")

// crashFS is a file system in memory that knows what a power cut would leave.
// Every call that changes something is one step.
type crashFS struct {
	files   map[string]*inode // as the running system sees it
	durable map[string]*inode // names that a sync of their directory has kept
	dirs    map[string]bool
	steps   int
	cutAt   int // the step that no longer happens; 0: never
	dead    bool
	open    int          // files opened and not closed
	room    atomic.Int64 // bytes that may still be written; negative: any number
}

type inode struct {
	data, synced []byte
}

func newCrashFS() *crashFS {
	f := &crashFS{files: map[string]*inode{}, durable: map[string]*inode{}, dirs: map[string]bool{}}
	f.room.Store(-1)
	return f
}

// A remnant says which of the unsynced changes the cut leaves behind. Real file
// systems do all three, and mixtures.
type remnant int

const (
	leaveAll    remnant = iota // all were written back in time
	leaveSynced                // none were
	leaveNames                 // renames and removals were, data was not
	leaveOdd                   // some names were: a directory is not written back in order
	leaveEven                  // the others were
	remnants
)

// after returns the file system as it is found when the power is back.
func (f *crashFS) after(r remnant) *crashFS {
	g := newCrashFS()
	copies := map[*inode]*inode{}
	for name, node := range f.names(r) {
		data := node.synced
		if r == leaveAll {
			data = node.data
		}
		if copies[node] == nil {
			copies[node] = &inode{data: append([]byte(nil), data...), synced: append([]byte(nil), data...)}
		}
		g.files[name], g.durable[name] = copies[node], copies[node]
	}
	for dir := range f.dirs {
		g.dirs[dir] = true
	}
	return g
}

// names is the namespace that a cut leaves.
func (f *crashFS) names(r remnant) map[string]*inode {
	switch r {
	case leaveAll, leaveNames:
		return f.files
	case leaveSynced:
		return f.durable
	}
	names := maps.Clone(f.durable)
	all := maps.Clone(f.durable)
	maps.Copy(all, f.files)
	for name := range all {
		if (crc32.ChecksumIEEE([]byte(name))&1 == 1) != (r == leaveOdd) {
			continue
		}
		if delete(names, name); f.files[name] != nil {
			names[name] = f.files[name]
		}
	}
	return names
}

func (f *crashFS) step() error {
	if f.cutAt > 0 && f.steps == f.cutAt-1 {
		f.dead = true
	}
	if f.dead {
		return errPower
	}
	f.steps++
	return nil
}

func (f *crashFS) ReadFile(name string) ([]byte, error) {
	if f.dead {
		return nil, errPower
	}
	node, ok := f.files[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return append([]byte(nil), node.data...), nil
}

func (f *crashFS) OpenFile(name string) (File, error) {
	node, ok := f.files[name]
	if !ok {
		if !f.dirs[filepath.Dir(name)] {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		if err := f.step(); err != nil {
			return nil, err
		}
		node = &inode{}
		f.files[name] = node
	}
	f.open++
	return &crashFile{f, node}, nil
}

func (f *crashFS) Rename(from, to string) error {
	node, ok := f.files[from]
	if !ok {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	if err := f.step(); err != nil {
		return err
	}
	delete(f.files, from)
	f.files[to] = node
	return nil
}

func (f *crashFS) Remove(name string) error {
	if _, ok := f.files[name]; !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	if err := f.step(); err != nil {
		return err
	}
	delete(f.files, name)
	return nil
}

// MkdirAll is no step: directories are made once, at the first Open.
func (f *crashFS) MkdirAll(name string) error {
	for ; !f.dirs[name]; name = filepath.Dir(name) {
		f.dirs[name] = true
	}
	return nil
}

func (f *crashFS) SyncDir(dir string) error {
	if !f.dirs[dir] {
		return &fs.PathError{Op: "sync", Path: dir, Err: fs.ErrNotExist}
	}
	if err := f.step(); err != nil {
		return err
	}
	for name := range f.durable {
		if filepath.Dir(name) == dir && f.files[name] == nil {
			delete(f.durable, name)
		}
	}
	for name, node := range f.files {
		if filepath.Dir(name) == dir {
			f.durable[name] = node
		}
	}
	return nil
}

// String lists names and sizes, for a failed test.
func (f *crashFS) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		node := f.files[name]
		fmt.Fprintf(&b, "%s: %d bytes, %d synced\n", name, len(node.data), len(node.synced))
	}
	return b.String()
}

type crashFile struct {
	fs   *crashFS
	node *inode
}

func (f *crashFile) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt cut by the power leaves half of what it was given.
func (f *crashFile) WriteAt(p []byte, off int64) (int, error) {
	if f.fs.dead {
		return 0, errPower
	}
	part, err := p, f.fs.step()
	if err != nil {
		part = p[:len(p)/2]
	}
	if room := f.fs.room.Load(); room >= 0 {
		if int64(len(part)) > room {
			part, err = part[:room], &fs.PathError{Op: "write", Err: syscall.ENOSPC}
		}
		f.fs.room.Add(-int64(len(part)))
	}
	if need := off + int64(len(part)); need > int64(len(f.node.data)) {
		f.node.data = append(f.node.data, make([]byte, need-int64(len(f.node.data)))...)
	}
	copy(f.node.data[off:], part)
	return len(part), err
}

func (f *crashFile) Truncate(size int64) error {
	if err := f.fs.step(); err != nil {
		return err
	}
	for int64(len(f.node.data)) < size {
		f.node.data = append(f.node.data, make([]byte, size-int64(len(f.node.data)))...)
	}
	f.node.data = f.node.data[:size]
	return nil
}

func (f *crashFile) Sync() error {
	if err := f.fs.step(); err != nil {
		return err
	}
	f.node.synced = append([]byte(nil), f.node.data...)
	return nil
}

func (f *crashFile) Close() error {
	f.fs.open--
	return nil
}
