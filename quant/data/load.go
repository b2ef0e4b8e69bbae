package data

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kedge/runtime/feature"
	"kedge/runtime/tensor"
)

// ErrOptions: the options do not say what the path needs, or contradict it.
var ErrOptions = errors.New("data: unsuitable options")

// DefaultLimit is the limit of Options that give none: 2 GiB, on 32-bit machines
// 1 GiB.
const DefaultLimit int64 = 1 << 30 << (^uint(0) >> 63)

// Options say about a set of samples what its files do not. The zero value reads
// arrays and tables of numbers as they are.
type Options struct {
	// Limit bounds Samples.X in bytes and, apart from it, what decoding one file
	// takes; 0 means DefaultLimit.
	Limit int64
	// Shape of one sample where the file does not have one: raw elements; images,
	// H × W × C with C 1 (gray) or 3 (RGB), to which they are resized; sounds, a
	// window of as many samples. Both may have a batch axis of 1 in front. Arrays and
	// CSV have a shape of their own: there it is not looked at.
	Shape tensor.Shape
	// Type of raw elements, little-endian: Float32, Uint8, Int8, Int16 or another
	// type of numbers.
	Type tensor.Type
	// LabelColumn of a CSV file holds the classes: a name in the header, or without a
	// header the column's number, counted from 1. Empty: there are no classes.
	LabelColumn string
	// Classes names the classes in the model's order, so that a set that lacks some
	// of them counts the others as the model does. Nil: the names that occur, sorted
	// by their bytes.
	Classes []string
	// Unlabeled: classes are not wanted. They are neither read nor checked.
	Unlabeled bool
	// Step is the distance between the beginnings of a sound's windows, in samples;
	// 0 means a window's length, so that they do not overlap.
	Step int
	// Rate is what every sound has to have, in samples a second; 0: whatever the
	// first one has.
	Rate int
	// Scale and Offset make value·Scale + Offset of every value, in float32. Scale 0
	// means 1.
	Scale, Offset float32
	// Features is the declaration that devices apply to a row of as many values, in
	// place of Scale and Offset. Columns of a CSV file are then found by its names,
	// as devices find them.
	Features feature.Set
}

// Samples are inputs of a model with one input.
type Samples struct {
	X       []float32    // one sample behind the other, all finite
	Shape   tensor.Shape // of one sample
	Pixels  bool         // Shape is an image's: height, width, channels
	Y       []int        // the class of each, 0 or more; nil where the source has none
	Classes []string     // names by class; nil where the source has numbers alone
	Notes   []string     // what was left out or filled up, in words
}

// Count is the number of samples.
func (s *Samples) Count() int {
	if n, ok := s.Shape.Elements(); ok && n > 0 {
		return len(s.X) / n
	}
	return 0
}

// Array is a copy of X with a first axis that counts samples.
func (s *Samples) Array() Array {
	return FromFloat32s(s.X, slices.Concat([]int{s.Count()}, s.Shape)...)
}

// Load reads samples from path, by what it is:
//
//   - .npy: an array whose first axis counts samples;
//   - .npz: array x like that and, if it is there, array y of class numbers;
//   - .csv, .csv.gz: a sample a line, see Options.LabelColumn;
//   - .bin: elements of Options.Type alone, samples of Options.Shape one behind the
//     other;
//   - .png, .jpg, .jpeg: an image of values 0 to 255, all of it resized to
//     Options.Shape: bilinear with half-pixel centers, without antialiasing and
//     rounding, like TensorFlow's default;
//   - .wav: 16-bit PCM of one channel, values -32768 to 32767, cut into windows;
//   - a folder of .png and .jpg, of .wav or of .bin files, in the order of their
//     paths. If it has folders, each is a class.
//
// A file with another extension is read by the mark that its content begins with.
// Errors name the file, and line and column or the sample; they match ErrFormat,
// ErrUnsupported, ErrTooLarge, ErrMissing, ErrSamples or ErrOptions, or are the
// file system's.
func Load(path string, o Options) (Samples, error) {
	b, err := newBuilder(o)
	if err != nil {
		return Samples{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return Samples{}, err
	}
	read := b.single
	if info.IsDir() {
		read = b.folder
	}
	if err := read(path); err != nil {
		return Samples{}, err
	}
	if len(b.X) == 0 {
		return Samples{}, fmt.Errorf("%s: %w: there are none", path, ErrSamples)
	}
	b.noteSounds()
	return b.Samples, nil
}

// kind is a format of files.
type kind struct {
	name       string
	extensions []string
	marks      []string // what files begin with; none for formats without a mark
	collected  bool     // whether folders of such files are sets of samples
	columns    bool     // whether it has columns
	read       func(b *builder, f *os.File, size int64) error
}

var kinds = []kind{
	{"NumPy array", []string{".npy"}, []string{npyMagic}, false, false, (*builder).npy},
	{"NumPy archive", []string{".npz"}, []string{"PK\x03\x04", "PK\x05\x06"}, false, false, (*builder).npz},
	{"CSV", []string{".csv"}, nil, false, true, (*builder).csvFile},
	{"compressed CSV", []string{".csv.gz"}, nil, false, true, (*builder).csvGzip},
	{"raw", []string{".bin"}, nil, true, false, (*builder).raw},
	{"image", []string{".png", ".jpg", ".jpeg"}, []string{pngMark, jpegMark}, true, false, (*builder).image},
	{"sound", []string{".wav"}, []string{"RIFF"}, true, false, (*builder).sound},
}

func kindByName(path string) *kind {
	base := strings.ToLower(filepath.Base(path))
	for i := range kinds {
		for _, e := range kinds[i].extensions {
			if strings.HasSuffix(base, e) {
				return &kinds[i]
			}
		}
	}
	return nil
}

// kindByMark leaves f at its beginning.
func kindByMark(f *os.File) (*kind, error) {
	head := make([]byte, 8)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	for i := range kinds {
		for _, mark := range kinds[i].marks {
			if strings.HasPrefix(string(head[:n]), mark) {
				return &kinds[i], nil
			}
		}
	}
	return nil, fmt.Errorf("%w: no kind of file that is known here: want .npy, .npz, .csv, .csv.gz, .bin, .png, .jpg or .wav, or a folder", ErrUnsupported)
}

// builder collects samples.
type builder struct {
	Samples
	o     Options
	table *feature.Tabular // nil without declared features
	size  int              // values of one sample, once the shape is known
	row   []float32        // scratch of that size
	wide  []float64        // scratch of that size, with declared features

	rate            int // of the sounds so far
	padded, cut     int // sounds
	paddedTo, spare int // samples
}

func newBuilder(o Options) (*builder, error) {
	b := &builder{o: o}
	if b.o.Limit == 0 {
		b.o.Limit = DefaultLimit
	}
	if b.o.Scale == 0 {
		b.o.Scale = 1
	}
	for _, v := range []float32{o.Scale, o.Offset} {
		if !finite(v) {
			return nil, fmt.Errorf("%w: scale %v, offset %v, want finite numbers", ErrOptions, o.Scale, o.Offset)
		}
	}
	if o.Limit < 0 || o.Step < 0 || o.Rate < 0 {
		return nil, fmt.Errorf("%w: limit %d, step %d, rate %d, want none below 0", ErrOptions, o.Limit, o.Step, o.Rate)
	}
	if err := checkClasses(o.Classes); err != nil {
		return nil, err
	}
	if o.Features == nil {
		return b, nil
	}
	if b.o.Scale != 1 || o.Offset != 0 {
		return nil, fmt.Errorf("%w: both declared features and a scale or an offset", ErrOptions)
	}
	var err error
	if b.table, err = feature.Compile(o.Features); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return b, nil
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// single reads a file that is the whole set.
func (b *builder) single(path string) error {
	return b.open(path, func(f *os.File, size int64) error {
		k := kindByName(path)
		if k == nil {
			var err error
			if k, err = kindByMark(f); err != nil {
				return err
			}
		}
		if err := b.columnless(k); err != nil {
			return err
		}
		return k.read(b, f, size)
	})
}

// columnless refuses a label column of what has none: to go on without labels
// would surprise.
func (b *builder) columnless(k *kind) error {
	if b.o.LabelColumn == "" || k != nil && k.columns {
		return nil
	}
	return fmt.Errorf("%w: a label column %.40q, and it is no CSV file", ErrOptions, b.o.LabelColumn)
}

// open gives a regular file to read; to open a pipe may never end. Errors of read
// get the path.
func (b *builder) open(path string, read func(f *os.File, size int64) error) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w: not a regular file", path, ErrUnsupported)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := read(f, info.Size()); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// setShape says what samples look like, before the first is added.
func (b *builder) setShape(s tensor.Shape) error {
	n, ok := s.Elements()
	switch {
	case ok && n == 0:
		return fmt.Errorf("%w: samples of shape %v have no values", ErrSamples, s)
	case !ok || int64(n) > b.o.Limit/4:
		return fmt.Errorf("%w: a sample of shape %v, limit %d bytes", ErrTooLarge, s, b.o.Limit)
	case b.table != nil && b.table.Len() != n:
		return fmt.Errorf("%w: a sample has %d values, %d features are declared", ErrSamples, n, b.table.Len())
	}
	if n != b.size {
		b.row, b.size = make([]float32, n), n
		if b.table != nil {
			b.wide = make([]float64, n)
		}
	}
	b.Shape = slices.Clone(s)
	return nil
}

// room refuses n more samples that would exceed the limit.
func (b *builder) room(n int64) error {
	have := int64(len(b.X) / b.size)
	if most := b.o.Limit / 4 / int64(b.size); n > most-have {
		return fmt.Errorf("%w: %d or more samples of shape %v, at most %d fit into the limit of %d bytes", ErrTooLarge, have+n, b.Shape, most, b.o.Limit)
	}
	return nil
}

// add scales the sample in b.row, or applies the declared features, and appends it.
func (b *builder) add() error {
	if err := b.room(1); err != nil {
		return err
	}
	if at := slices.IndexFunc(b.row, func(v float32) bool { return !finite(v) }); at >= 0 {
		return fmt.Errorf("%w: %v at index %d", ErrSamples, b.row[at], at)
	}
	if err := b.transform(); err != nil {
		return err
	}
	b.X = append(b.X, b.row...)
	return nil
}

func (b *builder) transform() error {
	if b.table != nil {
		for i, v := range b.row {
			b.wide[i] = float64(v)
		}
		if err := b.table.Apply(b.row, b.wide); err != nil {
			return fmt.Errorf("%w: %w", ErrSamples, err)
		}
		return nil
	}
	for i, v := range b.row {
		// Rounded twice on every machine: Go may fuse the two operations otherwise.
		b.row[i] = float32(v*b.o.Scale) + b.o.Offset
		if !finite(b.row[i]) {
			return fmt.Errorf("%w: %v at index %d is out of range after scale %v and offset %v", ErrSamples, v, i, b.o.Scale, b.o.Offset)
		}
	}
	return nil
}
