// Package ptq turns a calibrated float graph into an integer one by TFLite's
// 8-bit quantization specification: int8 asymmetric activations, int8 symmetric
// weights with one scale for each output channel (also of FULLY_CONNECTED),
// int32 bias at the product of the input's and the weights' scale; or, with
// int16 activations, TFLite's 16x8 form, whose bias is int64.
//
// Call Quantize with the ranges that package calib found. The result is a
// graph of integer tensors for package emit to write; the float graph is not
// changed and its activations keep their numbers. Operators that have no
// integer form in package runtime stay float32 between DEQUANTIZE and QUANTIZE;
// those that it does not have at all are an error that lists every one.
//
// CorrectBias improves the result. FoldQDQ and Like find activation parameters that
// exist already. The same inputs give the same result, and calls may run
// concurrently.
package ptq

import (
	"errors"
	"fmt"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

var (
	// ErrUnsupported: the graph has operators that the runtime cannot compute.
	ErrUnsupported = errors.New("ptq: unsupported")
	// ErrRange: an activation or a constant has no usable range.
	ErrRange = errors.New("ptq: bad range")
	// ErrOptions: the options contradict each other or the graph.
	ErrOptions = errors.New("ptq: bad options")
)

// Options choose among the forms that the specification allows. The zero value
// is int8 throughout with a scale for each output channel.
type Options struct {
	// PerTensor gives FULLY_CONNECTED weights a single scale, as TFLite's converter
	// does and as runtimes need that predate per-channel FULLY_CONNECTED
	// (operator version 12). It costs accuracy.
	PerTensor bool
	// PerTensorConv gives the weights of convolutions a single scale too. Every
	// TFLite runtime knows them per channel; this is for accelerators that do not.
	PerTensorConv bool
	// Activations is tensor.Int8 (also when zero) or tensor.Int16.
	Activations tensor.Type
	// Types gives single nodes, by index, another type than Activations:
	// tensor.Float32, Int8 or Int16. Conversions are put where types meet.
	Types map[int]tensor.Type
	// FloatInput and FloatOutput leave the graph's inputs or outputs float32, with
	// QUANTIZE or DEQUANTIZE inside; otherwise they have the type Activations.
	FloatInput, FloatOutput bool
	// Given are int8 parameters that activations have to get instead of those of
	// their range, for instance from Like. Those that an operator fixes (SOFTMAX)
	// stay, and with int16 activations the range that they cover is taken.
	Given map[graph.TensorID]tensor.Quant
}

// Quantize converts g, a float graph that passed Infer. ranges holds every
// activation's range unless its parameters are in Options.Given or on the tensor
// itself (graph.Tensor.Quant).
// Errors match ErrUnsupported, ErrRange or ErrOptions and name nodes and tensors.
func Quantize(g *graph.Graph, ranges calib.Ranges, o Options) (*graph.Graph, error) {
	if o.Activations == tensor.Float32 {
		o.Activations = tensor.Int8
	}
	if o.Activations != tensor.Int8 && o.Activations != tensor.Int16 {
		return nil, fmt.Errorf("%w: activations of %v, want int8 or int16", ErrOptions, o.Activations)
	}
	c := &converter{src: g, ranges: ranges, options: o, dst: g.Clone()}
	if err := c.layOut(); err != nil {
		return nil, err
	}
	if err := c.parameters(); err != nil {
		return nil, err
	}
	if err := c.constants(); err != nil {
		return nil, err
	}
	if err := c.dst.Infer(); err != nil {
		return nil, err
	}
	return c.dst, nil
}

// converter is one Quantize at work: dst starts as a copy of src and gets
// conversions between types (layOut), then parameters of activations, then
// integer constants.
type converter struct {
	src, dst *graph.Graph
	ranges   calib.Ranges
	options  Options

	types  []tensor.Type           // of every node of dst
	origin []graph.TensorID        // of every tensor of dst: the one of src that it holds
	taken  []bool                  // by tensor of src: a constant that a node owns already
	casts  map[cast]graph.TensorID // activations in a second type
	fixed  []*tensor.Quant         // by tensor of dst: parameters that are not derived from a range
	data   []dataConstant          // constants that are operands like activations
}

// cast asks for an activation in another type than it is computed in.
type cast struct {
	id graph.TensorID
	to tensor.Type
}

// dataConstant is a constant of dst that holds what an activation could: the
// second operand of an ADD, not a filter.
type dataConstant struct {
	id graph.TensorID
	to tensor.Type
}

// label names a tensor of dst in an error.
func (c *converter) label(id graph.TensorID) string {
	return fmt.Sprintf("tensor %d %q", id, c.dst.Tensor(id).Name)
}
