package main

import (
	"flag"
	"fmt"
	"strconv"
	"strings"

	"kedge/cmd/internal/cli"
	"kedge/quant/data"
	"kedge/quant/eval"
	"kedge/runtime"
	"kedge/trainer/dataset"
)

// samplesDetail explains the sources of samples, for the help of commands that
// take them.
const samplesDetail = `
Samples may be
  FILE.npz       an array x, the first axis counting samples, and an array y of their classes
  FILE.npy       the array x alone
  FILE.csv       a sample a line, also .csv.gz; a first line with a field that is no number names
                 the columns, --label-column is the one with the classes, numbers or names
  FILE.bin       elements of --data-type alone, samples of --data-shape (default: the model's)
  FILE.png, .jpg an image, all of it resized to the model's input or --data-shape H,W,C, bilinear
                 with half-pixel centers; values 0 to 255, gray or RGB as there are channels
  FILE.wav       16-bit PCM of one channel, values -32768 to 32767, cut into windows
  FOLDER         of images, of sounds or of .bin files; folders in it are their classes, in the
                 order of their names
Values become value*scale + offset: --scale 1/255 for an image that the model takes as 0 to 1,
--scale 1/32768 for sound as -1 to 1. --features FILE applies the features.json of a bundle
instead, as devices do, to columns of the same names.
`

// sampleFlags are the flags that say what the files of samples do not.
type sampleFlags struct {
	options  data.Options
	features string
	labels   string
	seen     bool
}

func (f *sampleFlags) flags(fs *flag.FlagSet) {
	set := func(name, usage string, parse func(string) error) {
		fs.Func(name, usage, func(text string) error {
			f.seen = true
			return parse(text)
		})
	}
	o := &f.options
	set("data-shape", "`SHAPE` of one sample where the file has none, such as 32,32,3", func(s string) (err error) {
		o.Shape, err = parseShape(s)
		return err
	})
	set("data-type", "`TYPE` of the elements of a .bin file: f32, u8, i8 or i16 (default f32)", func(s string) (err error) {
		o.Type, err = parseElement(s)
		return err
	})
	set("data-step", "`SAMPLES` from one window of a sound to the next (default: a window's length)", func(s string) (err error) {
		o.Step, err = parseCount(s)
		return err
	})
	set("data-rate", "`HERTZ` that every sound must have", func(s string) (err error) {
		o.Rate, err = parseCount(s)
		return err
	})
	set("label-column", "`COLUMN` of a CSV file with the classes, its name or number", func(s string) error {
		o.LabelColumn = s
		return nil
	})
	set("scale", "`NUMBER` that values are multiplied by, such as 1/255", func(s string) (err error) {
		o.Scale, err = parseNumber(s)
		if err == nil && o.Scale == 0 {
			err = fmt.Errorf("want another number than 0")
		}
		return err
	})
	set("offset", "`NUMBER` that is added then", func(s string) (err error) {
		o.Offset, err = parseNumber(s)
		return err
	})
	set("features", "`FILE` that declares the features, a bundle's features.json", func(s string) error {
		f.features = s
		return nil
	})
}

// classFlags adds the flag that orders classes which have names.
func (f *sampleFlags) classFlags(fs *flag.FlagSet) {
	fs.Func("labels", "`FILE` with the classes' names in the model's order, one a line", func(s string) error {
		f.labels, f.seen = s, true
		return nil
	})
}

// given reports whether any of the flags was.
func (f *sampleFlags) given() bool { return f.seen }

// resolve reads the files that flags name, and lets samples look like the model's
// input where nothing else is said.
func (f *sampleFlags) resolve(inputs []eval.Tensor) (data.Options, error) {
	o := f.options
	if o.Shape == nil && len(inputs) == 1 {
		o.Shape = inputs[0].Shape
		if len(o.Shape) > 1 && o.Shape[0] == 1 {
			o.Shape = o.Shape[1:]
		}
	}
	if f.features != "" {
		file, err := cli.ReadFileMax(f.features, cli.MaxDocument)
		if err != nil {
			return o, err
		}
		if o.Features, err = dataset.ParseFeatures(file); err != nil {
			return o, fmt.Errorf("%s: %w", f.features, err)
		}
	}
	if f.labels != "" {
		file, err := cli.ReadFileMax(f.labels, cli.MaxDocument)
		if err != nil {
			return o, err
		}
		for _, line := range lines(file) {
			o.Classes = append(o.Classes, line.text)
		}
		if o.Classes == nil {
			return o, cli.WithHint(fmt.Errorf("%s: no class in the file", f.labels), "give the classes' names in the output's order, one a line")
		}
	}
	return o, nil
}

// parseShape reads 32,32,3, also as 32x32x3 and in brackets.
func parseShape(text string) ([]int, error) {
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	var shape []int
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(",x ", r) }) {
		n, err := parseCount(field)
		if err != nil {
			return nil, err
		}
		shape = append(shape, n)
	}
	if shape == nil {
		return nil, fmt.Errorf("want numbers such as 32,32,3")
	}
	return shape, nil
}

// parseCount reads a whole number above 0.
func parseCount(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("want whole numbers above 0")
	}
	return int(n), nil
}

// elements are the types that --data-type knows.
var elements = []struct {
	names [2]string
	kind  runtime.DataType
}{
	{[2]string{"f32", "float32"}, runtime.Float32},
	{[2]string{"u8", "uint8"}, runtime.Uint8},
	{[2]string{"i8", "int8"}, runtime.Int8},
	{[2]string{"i16", "int16"}, runtime.Int16},
}

func parseElement(text string) (runtime.DataType, error) {
	for _, e := range elements {
		if text == e.names[0] || text == e.names[1] {
			return e.kind, nil
		}
	}
	return 0, fmt.Errorf("want f32, u8, i8 or i16")
}

// parseNumber reads a number or a fraction of two.
func parseNumber(text string) (float32, error) {
	above, below, fraction := strings.Cut(text, "/")
	v, err := strconv.ParseFloat(above, 64)
	if err == nil && fraction {
		var divisor float64
		divisor, err = strconv.ParseFloat(below, 64)
		v /= divisor
	}
	if err != nil || v-v != 0 || float32(v)-float32(v) != 0 {
		return 0, fmt.Errorf("want a finite number, or a fraction such as 1/255")
	}
	return float32(v), nil
}
