// Package emit writes a graph as a .tflite file: the flatbuffer of the TFLite
// schema, version 3, that TFLite, LiteRT, TensorFlow Lite Micro, Netron and
// package runtime read.
//
// Call Model, or ModelWith for metadata and sparse weights. Float and quantized
// graphs are written alike; tensor i of the graph is tensor i of the file, and
// the constants that only the file needs (shapes, axes, paddings) come behind.
// Windows whose padding is neither TFLite's SAME nor VALID are made writable by
// pass.Lower, before calibration.
//
// The same graph gives the same bytes. Constant data lies at multiples of 16
// bytes from the start of the file, so that a mapped file can be computed on in
// place. Calls may run concurrently.
package emit

import (
	"errors"
	"fmt"
	"math"

	"kedge/quant/graph"
)

var (
	// ErrUnsupported: the graph holds something that the file has no form for.
	ErrUnsupported = errors.New("emit: unsupported")
	// ErrMetadata: the metadata does not fit the graph.
	ErrMetadata = errors.New("emit: bad metadata")
)

// Options say what a file has besides the network. The zero value gives the
// plain file.
type Options struct {
	// Description is the file's; empty means the graph's.
	Description string
	// Sparse stores constant weights compressed where that makes the file
	// smaller (see sparse.go for the forms). TFLite and package runtime load
	// such files; TensorFlow Lite Micro does not.
	Sparse bool
	// Metadata, when given, goes into the file in the form of TFLite Metadata.
	Metadata *Metadata
}

// Model writes g, which must have passed Infer.
// Errors match ErrUnsupported and name the node or tensor.
func Model(g *graph.Graph) ([]byte, error) { return ModelWith(g, Options{}) }

// ModelWith is Model with options. Its errors may also match ErrMetadata.
func ModelWith(g *graph.Graph, o Options) ([]byte, error) {
	if err := checkSizes(g); err != nil {
		return nil, err
	}
	var metadata []byte
	if o.Metadata != nil {
		if err := o.Metadata.check(g); err != nil {
			return nil, err
		}
		metadata = o.Metadata.flatbuffer(g)
	}
	w := newWriter(g)
	if o.Description != "" {
		w.description = o.Description
	}
	if o.Sparse {
		w.compress()
	}
	file, err := w.model(metadata)
	if err != nil || o.Metadata == nil {
		return file, err
	}
	return o.Metadata.attach(file)
}

// checkSizes keeps offsets, which have 32 bits, from overflowing: half of them
// are left for everything that is not data.
func checkSizes(g *graph.Graph) error {
	const most = math.MaxInt32 / 2
	total := 0
	for i := range g.Tensors {
		t := &g.Tensors[i]
		n, ok := t.Shape.Bytes(t.Type)
		if !ok {
			return fmt.Errorf("%w: tensor %d %q is %v %v", ErrUnsupported, i, t.Name, t.Type, t.Shape)
		}
		if !t.IsConstant() {
			continue
		}
		if have := constantBytes(t); have != n {
			return fmt.Errorf("%w: tensor %d %q has %d bytes for %v %v", ErrUnsupported, i, t.Name, have, t.Type, t.Shape)
		}
		if n > most-total {
			return fmt.Errorf("%w: constants of more than %d bytes", ErrUnsupported, most)
		}
		total += n
	}
	return nil
}
