package data

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// found is a file of a folder that holds samples.
type found struct {
	path  string
	class int // -1: the folder has no classes
}

// folder reads files of one kind in the order of their paths. Either they lie in
// the folder itself, or in folders that stand for their classes, at any depth.
// Names that begin with a dot are passed over, other files are noted.
func (b *builder) folder(path string) error {
	if err := b.columnless(nil); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	w := &walk{limit: b.o.Limit / 4, names: b.o.Classes, unlabeled: b.o.Unlabeled}
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := w.entry(path, e); err != nil {
			return err
		}
	}
	if w.kind == nil {
		return fmt.Errorf("%s: %w: no image, sound or .bin file in the folder%s", path, ErrSamples, w.others())
	}
	if w.left > 0 {
		b.Notes = append(b.Notes, strings.TrimPrefix(w.others(), ", ")+" left out")
	}
	for i, name := range w.classes {
		if w.counts[i] == 0 {
			b.Notes = append(b.Notes, fmt.Sprintf("class %d, %.40q, has no samples", i, name))
		}
	}
	b.Classes = w.classes
	for i, f := range w.files {
		if err := b.open(f.path, func(r *os.File, size int64) error { return w.kind.read(b, r, size) }); err != nil {
			return err
		}
		if i == 0 { // every other file is a sample or more: better said now than after reading them
			if err := b.room(int64(len(w.files) - 1)); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		for f.class >= 0 && len(b.Y) < b.Count() {
			b.Y = append(b.Y, f.class)
		}
	}
	return nil
}

// walk finds files.
type walk struct {
	limit     int64    // files; each is a value or more
	names     []string // of classes, in their order; nil: as the folders are called
	unlabeled bool     // folders are no classes
	kind      *kind
	files     []found
	classes   []string
	counts    []int  // files of each class
	left      int    // files left out
	example   string // one of them
}

// entry looks at what lies in the folder itself.
func (w *walk) entry(path string, e fs.DirEntry) error {
	if hidden(e.Name()) {
		return nil
	}
	at := filepath.Join(path, e.Name())
	info, err := os.Stat(at) // where a link leads
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return w.file(at, -1)
	}
	class := -1
	if !w.unlabeled {
		if class, err = w.class(at, e.Name()); err != nil {
			return err
		}
	}
	return fs.WalkDir(os.DirFS(at), ".", func(below string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", filepath.Join(at, below), err)
		case below == ".":
			return nil
		case hidden(e.Name()) && e.IsDir():
			return fs.SkipDir
		case hidden(e.Name()), e.IsDir():
			return nil
		}
		return w.file(filepath.Join(at, below), class)
	})
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

// class gives a folder its number.
func (w *walk) class(path, name string) (int, error) {
	if w.names == nil {
		w.classes, w.counts = append(w.classes, name), append(w.counts, 0)
		return len(w.classes) - 1, nil
	}
	i := slices.Index(w.names, name)
	if i < 0 {
		return 0, fmt.Errorf("%s: %w: class %.40q is none of the %d that are named", path, ErrFormat, name, len(w.names))
	}
	if w.classes == nil {
		w.classes, w.counts = w.names, make([]int, len(w.names))
	}
	return i, nil
}

// file takes or leaves out a file.
func (w *walk) file(path string, class int) error {
	k := kindByName(path)
	switch {
	case k == nil || !k.collected:
		if w.left == 0 {
			w.example = path
		}
		w.left++
		return nil
	case w.kind == nil:
		w.kind = k
	case w.kind != k:
		return fmt.Errorf("%s: %w: %s among files of kind %s, such as %s: want one kind", path, ErrFormat, k.name, w.kind.name, w.files[0].path)
	case (class < 0) != (w.files[0].class < 0):
		return fmt.Errorf("%s: %w: with %s there are files both in the folder itself and in folders of classes", path, ErrFormat, w.files[0].path)
	case int64(len(w.files)) == w.limit:
		return fmt.Errorf("%s: %w: more than %d files", path, ErrTooLarge, w.limit)
	}
	w.files = append(w.files, found{path, class})
	if class >= 0 {
		w.counts[class]++
	}
	return nil
}

// others says what was left out, beginning with a comma.
func (w *walk) others() string {
	switch w.left {
	case 0:
		return ""
	case 1:
		return ", 1 other file (" + w.example + ")"
	}
	return fmt.Sprintf(", %d other files (such as %s)", w.left, w.example)
}
