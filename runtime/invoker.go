package runtime

import (
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// Invoker is an inference engine with a model in it: what the agent needs of
// one. It belongs to one goroutine at a time.
type Invoker interface {
	// Inputs and Outputs describe the model's tensors, in the model's order.
	Inputs() []TensorInfo
	Outputs() []TensorInfo
	// Input is the memory of input i, little-endian, to be filled before each
	// Invoke, which may overwrite it: outputs may lie in the same memory.
	Input(i int) []byte
	// Output is the memory of output i, valid after Invoke until an input is
	// written or Invoke is called again. It must not be written.
	Output(i int) []byte
	// Invoke computes the outputs from the inputs and from what the model
	// remembers of earlier calls.
	Invoke() error
	// Reset makes the model forget earlier calls.
	Reset()
}

// DataType is an element type.
type DataType = tensor.Type

// The element types that models here take and give.
const (
	Float32 = tensor.Float32
	Int8    = tensor.Int8
	Uint8   = tensor.Uint8
	Int16   = tensor.Int16
	Int32   = tensor.Int32
)

// TensorInfo describes one tensor. Its slices are shared and must not be
// written.
type TensorInfo struct {
	Index      int       `json:"index"` // in the model's list of tensors
	Name       string    `json:"name"`
	Type       DataType  `json:"-"`
	Shape      []int     `json:"shape"`
	Scales     []float32 `json:"scales,omitempty"`      // real = scale·(q − zero point); several are per channel
	ZeroPoints []int32   `json:"zero_points,omitempty"` // empty, or one for each scale
	Bytes      int       `json:"bytes"`
}

// describe is the TensorInfo of tensor i.
func describe(t *tflite.Tensor, i int) TensorInfo {
	n, _ := t.Shape.Bytes(t.Type)
	return TensorInfo{
		Index: i, Name: t.Name, Type: t.Type, Shape: t.Shape,
		Scales: t.Quant.Scales, ZeroPoints: t.Quant.ZeroPoints, Bytes: n,
	}
}

func describeAll(tensors []tflite.Tensor, indices []int) []TensorInfo {
	infos := make([]TensorInfo, len(indices))
	for i, t := range indices {
		infos[i] = describe(&tensors[t], t)
	}
	return infos
}
