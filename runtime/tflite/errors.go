package tflite

import "errors"

// Errors of decoding. What Decode returns wraps exactly one of them.
var (
	// ErrNotTFLite: the bytes carry no TFLite file identifier.
	ErrNotTFLite = errors.New("not a .tflite file")
	// ErrTruncated: an offset or a length points behind the end.
	ErrTruncated = errors.New("file is truncated")
	// ErrMalformed: the structure contradicts itself or the schema.
	ErrMalformed = errors.New("file is malformed")
	// ErrVersion: a schema version other than 3.
	ErrVersion = errors.New("schema version is not supported")
	// ErrBudget: reading it would take more memory, or time, than a file of this size may.
	ErrBudget = errors.New("file needs more than its size justifies")
)
