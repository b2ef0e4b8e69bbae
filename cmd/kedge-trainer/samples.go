package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kedge/cmd/internal/cli"
	"kedge/quant/data"
	"kedge/quant/eval"
)

// samples are inputs of a model with the classes that they belong to.
type samples struct {
	*eval.Set
	path   string
	labels []int // nil without classes
}

// read reads the inputs of a model and, unless options say otherwise, their classes.
func (f *sampleFlags) read(path string, inputs []eval.Tensor, perms [][]int) (*samples, error) {
	o, err := f.resolve(inputs)
	if err != nil {
		return nil, err
	}
	if len(inputs) != 1 {
		return f.readSeveral(path, inputs, perms, o)
	}
	loaded, err := data.Load(path, o)
	if err != nil {
		return nil, samplesError(path, err)
	}
	s, err := eval.FromSamples(inputs, &loaded, perms)
	if err != nil {
		return nil, misfit(path, inputs, err)
	}
	return &samples{s, path, loaded.Y}, nil
}

// readSeveral reads an .npz file for a model with several inputs.
func (f *sampleFlags) readSeveral(path string, inputs []eval.Tensor, perms [][]int, o data.Options) (*samples, error) {
	if f.given() {
		return nil, usage("flags that describe samples are for models with one input", "%s: the model takes %d inputs", path, len(inputs))
	}
	arrays, err := data.ReadNPZ(path, data.DefaultLimit, eval.ArrayNames(len(inputs))...)
	if err != nil {
		return nil, samplesError(path, err)
	}
	set, err := eval.NewSet(inputs, arrays, perms)
	if err != nil {
		return nil, misfit(path, inputs, err)
	}
	s := &samples{Set: set, path: path}
	if o.Unlabeled {
		return s, nil
	}
	arrays, err = data.ReadNPZ(path, data.DefaultLimit, "y")
	if errors.Is(err, data.ErrMissing) {
		return s, nil
	}
	if err != nil {
		return nil, samplesError(path, err)
	}
	if s.labels, err = eval.NewLabels(arrays[0], set.Count); err != nil {
		return nil, labelsError(path, err)
	}
	return s, nil
}

// classes are the labels of samples that cannot be without them.
func (s *samples) classes() ([]int, error) {
	if s.labels == nil {
		return nil, labelsError(s.path, errors.New("there are none"))
	}
	return s.labels, nil
}

func misfit(path string, inputs []eval.Tensor, err error) error {
	return cli.WithHint(fmt.Errorf("%s: %w", path, err),
		fmt.Sprintf("the first axis of x counts samples, the others have to be the model's input, %v; kedge-trainer inspect shows it", inputs[0].Shape))
}

func labelsError(path string, err error) error {
	return cli.WithHint(fmt.Errorf("%s: classes: %w", path, err),
		"a class is a whole number, counted from 0: array y of an .npz file, a CSV file's --label-column, or the folders in a folder")
}

func samplesError(path string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return cli.FileError(path, err)
	case errors.Is(err, data.ErrOptions):
		return cli.WithHint(err, "--data-shape, --data-type and the other flags say what files do not: --help explains them")
	case errors.Is(err, data.ErrTooLarge):
		return cli.WithHint(err, "give fewer samples; some hundred are enough")
	case strings.EqualFold(filepath.Ext(path), ".bin"):
		return cli.WithHint(err, "--data-type and --data-shape say what the elements are")
	case errors.Is(err, data.ErrMissing):
		if strings.EqualFold(filepath.Ext(path), ".npz") {
			return cli.WithHint(err, "name the arrays x for the samples and y for their classes: numpy.savez(FILE, x=..., y=...)")
		}
		return cli.WithHint(err, "columns go by the names in the first line of the file, without such a line by their numbers from 1")
	case errors.Is(err, data.ErrFormat), errors.Is(err, data.ErrUnsupported), errors.Is(err, data.ErrSamples):
		return cli.WithHint(err, "put what the message names right, or write arrays of numbers with numpy.savez")
	}
	return err
}
