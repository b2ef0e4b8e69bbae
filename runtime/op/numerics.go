package op

import (
	"fmt"
	"slices"
	"strings"

	"kedge/runtime/tflite"
)

// Numerics names the arithmetic that a model's results are defined by. The zero
// value stands for TFLM.
type Numerics string

// TFLM is the arithmetic of TensorFlow Lite Micro's reference kernels: integers
// only between the borders, double rounding.
const TFLM Numerics = "tflm"

// prepare checks an operator and binds it to its tensors.
type prepare func(*Prep) (Evaluator, error)

// definitions lists for each numerics the operators that it defines otherwise
// than the reference. What has no entry there is the reference's: the movement
// of data, comparisons and the like are the same in all of them.
//
// An operator that only scales accumulators differently needs no entry:
// Prep.multiplier and Prep.output are the one place where a real factor becomes
// the integers of a [kernel.Output], and kernel.Output the one that applies them.
var definitions = map[Numerics]map[tflite.Code]prepare{
	TFLM: {},
}

// Known returns the numerics called name, the default for the empty name.
func Known(name string) (Numerics, error) {
	n := Numerics(name)
	if n == "" {
		n = TFLM
	}
	if _, ok := definitions[n]; ok {
		return n, nil
	}
	var names []string
	for n := range definitions {
		names = append(names, string(n))
	}
	slices.Sort(names)
	return "", fmt.Errorf("numerics %q: not in this program, which has %s", name, strings.Join(names, ", "))
}

// definition is how o is prepared under n, nil where it is not supported.
// Custom operators are the same in all numerics.
func (n Numerics) definition(o *tflite.Operator) prepare {
	if o.Code == tflite.Custom {
		if len(o.Custom) > maxCustomName {
			return nil // and is not hashed, for each operator may name the same megabyte
		}
		return custom[o.Custom]
	}
	if f, ok := definitions[n][o.Code]; ok {
		return f
	}
	return table[o.Code]
}
