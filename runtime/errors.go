package runtime

import (
	"errors"
	"fmt"
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
	ErrBudget    = tflite.ErrBudget    // would take more memory than the file's size justifies
)

// What Load reports about a sound file's model.
var (
	ErrUnsupported = op.ErrUnsupported // asks for what is not implemented
	ErrInvalid     = op.ErrInvalid     // contradicts an operator's definition
	ErrArena       = errors.New("arena is larger than allowed")
)

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
	texts := make([]string, len(e))
	for i, err := range e {
		texts[i] = err.Error()
	}
	return fmt.Sprintf("%d operators cannot run: %s", len(e), strings.Join(texts, "; "))
}

func (e operatorErrors) Unwrap() []error { return e }
