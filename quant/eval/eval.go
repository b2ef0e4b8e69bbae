// Package eval measures what a network is worth: accuracy, or how well its
// reconstruction error tells good from bad, and what a quantized network lost
// beside the float one it came from: agreement, and the signal-to-quantization-
// noise ratio of every layer.
//
// Open a Model on a .tflite file's bytes, or make one of a float graph with
// Float; fit the arrays of a sample file to its inputs with NewSet; then call
// Evaluate, or Compare with two models. Integer models run on package runtime,
// so what is measured here is to the byte what a device computes; float models
// run on the executor of package graph.
//
// Samples are spread over all cores; the results do not depend on how many
// there are. A Model and a Set may be shared by goroutines, a Session and a
// Classifier belong to one at a time.
package eval

import "errors"

var (
	// ErrModel: the model is not of the form that is asked for.
	ErrModel = errors.New("eval: model does not fit")
	// ErrSamples: the samples do not fit the model.
	ErrSamples = errors.New("eval: bad samples")
	// ErrLabels: the labels do not fit the samples or the model.
	ErrLabels = errors.New("eval: bad labels")
)
