package main

import (
	"errors"
	"fmt"
	"os"

	"kedge/cmd/internal/cli"
	"kedge/quant/data"
	"kedge/quant/eval"
)

// maxSamples bounds the arrays that are read from one file, in bytes.
const maxSamples int64 = 1 << 30 << (^uint(0) >> 63) // 2 GiB, on 32-bit machines 1 GiB

// readSamples reads the inputs of a model from an .npz file.
func readSamples(path string, inputs []eval.Tensor, perms [][]int) (*eval.Set, error) {
	names := eval.ArrayNames(len(inputs))
	arrays, err := data.ReadNPZ(path, maxSamples, names...)
	if err != nil {
		return nil, samplesError(path, err)
	}
	s, err := eval.NewSet(inputs, arrays, perms)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
		return nil, cli.WithHint(err, fmt.Sprintf("the first axis of x counts samples, the others have to be the model's input, %v; kedge-trainer inspect shows it", inputs[0].Shape))
	}
	return s, nil
}

// readLabels reads the array y; absent labels match data.ErrMissing.
func readLabels(path string, s *eval.Set) ([]int, error) {
	arrays, err := data.ReadNPZ(path, maxSamples, "y")
	if err != nil {
		return nil, samplesError(path, err)
	}
	y, err := eval.NewLabels(arrays[0], s.Count)
	if err != nil {
		return nil, labelsError(path, err)
	}
	return y, nil
}

func labelsError(path string, err error) error {
	return cli.WithHint(fmt.Errorf("%s: array \"y\": %w", path, err), "y holds one whole number for each sample, the class, counted from 0")
}

func samplesError(path string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return cli.FileError(path, err)
	case errors.Is(err, data.ErrMissing):
		return cli.WithHint(err, "name the arrays x for the samples and y for their classes: numpy.savez(FILE, x=..., y=...)")
	case errors.Is(err, data.ErrTooLarge):
		return cli.WithHint(err, "give fewer samples; some hundred are enough")
	case errors.Is(err, data.ErrFormat), errors.Is(err, data.ErrUnsupported):
		return cli.WithHint(err, "write the file with numpy.savez, arrays of numbers")
	}
	return err
}
