package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"kedge/runtime/tensor"
)

// npy reads an array that has no name.
func (b *builder) npy(f *os.File, _ int64) error {
	a, err := ReadNPY(bufio.NewReader(f), b.o.Limit)
	if err != nil {
		return err
	}
	return b.array(a)
}

// npz reads the arrays x and y.
func (b *builder) npz(f *os.File, size int64) error {
	arrays, err := readNPZ(f, size, b.o.Limit, []string{"x"})
	if err != nil {
		return err
	}
	if err := b.array(arrays[0]); err != nil {
		return fmt.Errorf("array \"x\": %w", err)
	}
	if b.o.Unlabeled {
		return nil
	}
	arrays, err = readNPZ(f, size, b.o.Limit, []string{"y"})
	if errors.Is(err, ErrMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := b.numbers(arrays[0]); err != nil {
		return fmt.Errorf("array \"y\": %w", err)
	}
	return nil
}

// array adds samples that the first axis counts.
func (b *builder) array(a Array) error {
	read, width := reader(a.Type)
	switch {
	case read == nil:
		return fmt.Errorf("%w: %v where numbers are wanted", ErrUnsupported, a.Type)
	case len(a.Shape) == 0:
		return fmt.Errorf("%w: a single number, want an axis that counts samples", ErrSamples)
	case len(a.Data) == 0:
		return fmt.Errorf("%w: empty, the shape is %v", ErrSamples, a.Shape)
	}
	if err := b.setShape(a.Shape[1:]); err != nil {
		return err
	}
	if err := b.room(int64(a.Shape[0])); err != nil {
		return err
	}
	for i := range a.Shape[0] {
		at := i * b.size * width
		if err := b.addElements(a.Data[at:at+b.size*width], read, width); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
	}
	return nil
}

// addElements adds one sample.
func (b *builder) addElements(p []byte, read func([]byte) float64, width int) error {
	for i := range b.row {
		b.row[i] = float32(read(p[i*width:]))
	}
	return b.add()
}

// numbers takes classes from an array, one whole number for each sample.
func (b *builder) numbers(a Array) error {
	n, _ := a.Shape.Elements()
	if count := b.Count(); len(a.Shape) == 0 || n != count || a.Shape[0] != count {
		return fmt.Errorf("%w: shape %v, want one label for each of %d samples", ErrFormat, a.Shape, count)
	}
	y, err := a.Ints()
	if err != nil {
		return err
	}
	for i, v := range y {
		if v < 0 || b.o.Classes != nil && v >= len(b.o.Classes) {
			return fmt.Errorf("%w: sample %d has class %d, want %s", ErrFormat, i, v, b.classRange())
		}
	}
	b.Y, b.Classes = y, b.o.Classes
	return nil
}

// raw reads elements without a header.
func (b *builder) raw(f *os.File, size int64) error {
	read, width := reader(b.o.Type)
	if read == nil {
		return fmt.Errorf("%w: raw elements of type %v, want numbers such as %v, %v, %v or %v",
			ErrOptions, b.o.Type, tensor.Float32, tensor.Uint8, tensor.Int8, tensor.Int16)
	}
	if len(b.o.Shape) == 0 {
		return fmt.Errorf("%w: raw elements need the shape of a sample", ErrOptions)
	}
	if err := b.setShape(b.o.Shape); err != nil {
		return err
	}
	each := int64(b.size) * int64(width)
	if size == 0 || size%each != 0 {
		return fmt.Errorf("%w: %d bytes are no whole number of samples: %d bytes each, shape %v of %v", ErrFormat, size, each, b.Shape, b.o.Type)
	}
	if err := b.room(size / each); err != nil {
		return err
	}
	r, p := bufio.NewReader(f), make([]byte, each)
	for i := range size / each {
		if _, err := io.ReadFull(r, p); err != nil {
			return fmt.Errorf("%w: sample %d: %w", ErrFormat, i, err)
		}
		if err := b.addElements(p, read, width); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
	}
	return nil
}
