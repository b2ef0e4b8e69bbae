package data

import (
	"os"
	"path/filepath"
	"testing"

	"kedge/runtime/tensor"
)

func TestLoadFolder(t *testing.T) {
	o := Options{Type: tensor.Uint8, Shape: tensor.Shape{1}}
	shape := o.Shape
	for _, c := range []struct {
		name    string
		files   map[string]string
		classes []string
		want    Samples
	}{
		{"flat", map[string]string{"b.bin": "\x02", "a.bin": "\x01", "c.BIN": "\x03"}, nil,
			Samples{X: []float32{1, 2, 3}, Shape: shape}},
		{"classes", map[string]string{"dog/1.bin": "\x01\x02", "cat/9.bin": "\x03", "cat/10.bin": "\x04"}, nil,
			Samples{X: []float32{4, 3, 1, 2}, Shape: shape, Y: []int{0, 0, 1, 1}, Classes: []string{"cat", "dog"}}},
		{"deep", map[string]string{"a/z/1.bin": "\x01", "a/0.bin": "\x02", "b/x/y/1.bin": "\x03"}, nil,
			Samples{X: []float32{2, 1, 3}, Shape: shape, Y: []int{0, 0, 1}, Classes: []string{"a", "b"}}},
		{"numbers are names", map[string]string{"10/1.bin": "\x01", "2/1.bin": "\x02"}, nil,
			Samples{X: []float32{1, 2}, Shape: shape, Y: []int{0, 1}, Classes: []string{"10", "2"}}},
		{"named classes", map[string]string{"dog/1.bin": "\x01", "cat/1.bin": "\x03"}, []string{"dog", "cow", "cat"},
			Samples{X: []float32{3, 1}, Shape: shape, Y: []int{2, 0}, Classes: []string{"dog", "cow", "cat"}, Notes: []string{`class 1, "cow", has no samples`}}},
		{"hidden", map[string]string{".git/a.bin": "\x01", "a/.b.bin": "\x02", "a/.x/c.bin": "\x02", "a/d.bin": "\x03"}, nil,
			Samples{X: []float32{3}, Shape: shape, Y: []int{0}, Classes: []string{"a"}}},
	} {
		dir := t.TempDir()
		for name, content := range c.files {
			put(t, dir, name, []byte(content))
		}
		o.Classes = c.classes
		loads(t, c.name, dir, o, c.want)
	}
}

func TestLoadFolderNotes(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a/1.bin", []byte{1})
	left := put(t, dir, "README.md", []byte("text"))
	put(t, dir, "table.csv", []byte("1,2\n"))
	if err := os.Mkdir(filepath.Join(dir, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	loads(t, "notes", dir, Options{Type: tensor.Uint8, Shape: tensor.Shape{1}}, Samples{
		X: []float32{1}, Shape: tensor.Shape{1}, Y: []int{0}, Classes: []string{"a", "b"},
		Notes: []string{"2 other files (such as " + left + ") left out", `class 1, "b", has no samples`},
	})
}

func TestLoadFolderRefuses(t *testing.T) {
	o := Options{Type: tensor.Uint8, Shape: tensor.Shape{1}}
	limited, named, column := o, o, o
	limited.Limit, named.Classes, column.LabelColumn = 8, []string{"dog"}, "y"
	for _, c := range []struct {
		name  string
		files []string
		o     Options
		want  error
		words string
	}{
		{"empty", nil, o, ErrSamples, "no image"},
		{"others alone", []string{"x.txt", "a/b.txt"}, o, ErrSamples, "2 other files"},
		{"two kinds", []string{"a/1.bin", "a/2.png"}, o, ErrFormat, "2.png"},
		{"beside folders", []string{"a/1.bin", "b.bin"}, o, ErrFormat, "b.bin"},
		{"label column", []string{"a/1.bin"}, column, ErrOptions, "no CSV"},
		{"unknown class", []string{"cat/1.bin", "dog/1.bin"}, named, ErrFormat, `"cat"`},
		{"limit of files", []string{"1.bin", "2.bin", "3.bin"}, limited, ErrTooLarge, "more than 2 files"},
		{"limit after the first", []string{"1.bin", "2.bin", "3.bin"}, Options{Limit: 16, Type: tensor.Uint8, Shape: tensor.Shape{2}}, ErrTooLarge, "3 or more samples"},
	} {
		dir := t.TempDir()
		for _, name := range c.files {
			put(t, dir, name, []byte{1, 2})
		}
		refuses(t, c.name, dir, c.o, c.want, c.words)
	}
}

// TestLoadFolderFollowsLinks: large sets are often put together from links.
func TestLoadFolderFollowsLinks(t *testing.T) {
	store, dir := t.TempDir(), t.TempDir()
	file := put(t, store, "all/1.bin", []byte{1})
	if err := os.Symlink(filepath.Dir(file), filepath.Join(dir, "a")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	put(t, dir, "b/2.bin", []byte{2})
	if err := os.Symlink(file, filepath.Join(dir, "b", "3.bin")); err != nil {
		t.Fatal(err)
	}
	loads(t, "links", dir, Options{Type: tensor.Uint8, Shape: tensor.Shape{1}},
		Samples{X: []float32{1, 2, 1}, Shape: tensor.Shape{1}, Y: []int{0, 1, 1}, Classes: []string{"a", "b"}})
	if err := os.Symlink(os.DevNull, filepath.Join(dir, "b", "4.bin")); err != nil {
		t.Fatal(err)
	}
	refuses(t, "device", dir, Options{Type: tensor.Uint8, Shape: tensor.Shape{1}}, ErrUnsupported, "4.bin")
}

// TestLoadFolderUnlabeled: wherever files lie, they are samples.
func TestLoadFolderUnlabeled(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "b/1.bin", []byte{2})
	put(t, dir, "a.bin", []byte{1})
	loads(t, "unlabeled", dir, Options{Type: tensor.Uint8, Shape: tensor.Shape{1}, Classes: []string{"x"}, Unlabeled: true},
		Samples{X: []float32{1, 2}, Shape: tensor.Shape{1}})
}
