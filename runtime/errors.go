package runtime

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kedge/runtime/op"
	"kedge/runtime/tflite"
)

// What Load reports about a file's bytes.
var (
	ErrNotTFLite = tflite.ErrNotTFLite // no TFLite file identifier
	ErrTruncated = tflite.ErrTruncated // something points behind the end
	ErrMalformed = tflite.ErrMalformed // the structure contradicts itself
	ErrVersion   = tflite.ErrVersion   // not schema version 3
	ErrBudget    = tflite.ErrBudget    // would take more memory, or time, than the file's size justifies
)

// What Load reports about a sound file's model.
var (
	ErrUnsupported = op.ErrUnsupported // asks for what is not implemented
	ErrInvalid     = op.ErrInvalid     // contradicts an operator's definition
	ErrArena       = errors.New("arena is larger than allowed")
	ErrWork        = errors.New("more work than allowed") // see Options.MaxWork
)

// ErrThreads is reported for a number of threads that Options cannot have.
var ErrThreads = errors.New("threads out of range")

// ErrPlatform is reported on a big-endian processor, whose byte order is not
// that of the format.
var ErrPlatform = errors.New("big-endian processors are not supported")

// operatorErrors are all operators of a model that cannot be prepared. It wraps
// each of them.
type operatorErrors []error

func (e operatorErrors) Error() string {
	if len(e) == 1 {
		return e[0].Error()
	}
	var texts []string
	for _, err := range e[:min(len(e), maxListed)] {
		texts = append(texts, err.Error())
	}
	text := fmt.Sprintf("%d operators cannot run: %s", len(e), strings.Join(texts, "; "))
	if more := len(e) - maxListed; more > 0 {
		text += fmt.Sprintf("; … and %d more; kedge inspect lists all", more)
	}
	return text
}

// maxListed bounds how many findings one line of an error lists.
const maxListed = 8

func (e operatorErrors) Unwrap() []error { return e }

// located adds to an error that concerns an operator as a whole, or its options,
// the first tensor that it has, by which a person finds it in the network.
func located(err error, g *tflite.Subgraph) error {
	e, ok := errors.AsType[*op.Error](err)
	if !ok || e.Tensor != "" {
		return err
	}
	o := &g.Operators[e.Index]
	for _, i := range slices.Concat(o.Inputs, o.Outputs) {
		if i == tflite.NoTensor {
			continue
		}
		t, at := &g.Tensors[i], *e
		if at.Found == "" {
			at.Found = fmt.Sprintf("%v %v", t.Type, t.Shape)
		}
		at.Tensor = t.Label(i)
		return &at
	}
	return err
}
