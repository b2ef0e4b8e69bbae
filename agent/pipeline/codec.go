package pipeline

import (
	"encoding/binary"
	"fmt"
	"math"

	"kedge/runtime"
	"kedge/runtime/feature"
)

// codec translates between numbers and the elements of one tensor: float32 as it
// is, int8 by the tensor's scale and zero point.
type codec struct {
	n     int
	int8  bool
	scale float32
	zero  int32
}

// newCodec checks that a tensor has n elements, one for each of what, and a type
// with a meaning.
func newCodec(t runtime.TensorInfo, n int, what string) (codec, error) {
	if have := elements(t); have != n || n == 0 {
		return codec{}, fmt.Errorf("tensor %q of %d elements for %d %s: %w", t.Name, have, n, what, ErrModel)
	}
	switch t.Type {
	case runtime.Float32:
		return codec{n: n}, nil
	case runtime.Int8:
		if len(t.Scales) != 1 || !(t.Scales[0] > 0) {
			return codec{}, fmt.Errorf("tensor %q has scales %v, want one above 0: %w", t.Name, t.Scales, ErrModel)
		}
		c := codec{n: n, int8: true, scale: t.Scales[0]}
		if len(t.ZeroPoints) > 0 {
			c.zero = t.ZeroPoints[0]
		}
		return c, nil
	}
	return codec{}, fmt.Errorf("tensor %q is %v, want int8 or float32: %w", t.Name, t.Type, ErrModel)
}

// elements counts those of a tensor.
func elements(t runtime.TensorInfo) int {
	n := 1
	for _, d := range t.Shape {
		n *= d // the runtime has checked that the product fits
	}
	return n
}

// encode writes x into a tensor's memory.
func (c *codec) encode(memory []byte, x []float32) error {
	if c.int8 {
		return feature.Quantize(memory, x, c.scale, c.zero)
	}
	for i, v := range x {
		binary.LittleEndian.PutUint32(memory[4*i:], math.Float32bits(v))
	}
	return nil
}

// highest returns the index of the largest element, the first of equal ones,
// and its value. A NaN counts as the largest, so that it is noticed.
func (c *codec) highest(memory []byte) (int, float64) {
	at, best := 0, c.value(memory, 0)
	for i := 1; i < c.n && !math.IsNaN(best); i++ {
		if v := c.value(memory, i); v > best || math.IsNaN(v) {
			at, best = i, v
		}
	}
	return at, best
}

// decode reads all elements.
func (c *codec) decode(x []float64, memory []byte) {
	for i := range x {
		x[i] = c.value(memory, i)
	}
}

// value decodes element i. With the scale of an int8 softmax, 1/256, the product
// is exact.
func (c *codec) value(memory []byte, i int) float64 {
	if c.int8 {
		return float64(c.scale) * float64(int32(int8(memory[i]))-c.zero)
	}
	return float64(math.Float32frombits(binary.LittleEndian.Uint32(memory[4*i:])))
}
