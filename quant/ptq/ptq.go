// Package ptq turns a calibrated float graph into an int8 one by TFLite's 8-bit
// quantization specification: int8 asymmetric activations, int8 symmetric
// weights with one scale for each output channel (also of FULLY_CONNECTED),
// int32 bias at the product of the input's and the weights' scale.
//
// Call Quantize with the ranges that package calib found. The result is a
// graph of integer tensors for package emit to write; the float graph is not
// changed. The same inputs give the same result, and calls may run
// concurrently.
package ptq

import (
	"errors"
	"fmt"
	"slices"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

var (
	// ErrUnsupported: the graph has an operator that cannot be quantized yet.
	ErrUnsupported = errors.New("ptq: unsupported")
	// ErrRange: an activation has no usable range.
	ErrRange = errors.New("ptq: bad range")
)

// Options choose among the forms that the specification allows.
type Options struct {
	// PerTensor gives FULLY_CONNECTED weights a single scale, as runtimes need
	// that predate per-channel FULLY_CONNECTED. It costs accuracy.
	PerTensor bool
}

// Quantize converts g, a float graph that passed Infer.
// Errors match ErrUnsupported or ErrRange and name the node or tensor.
func Quantize(g *graph.Graph, ranges calib.Ranges, o Options) (*graph.Graph, error) {
	c := &converter{
		src: g, ranges: ranges, options: o,
		dst: &graph.Graph{
			Name: g.Name, Description: g.Description,
			Tensors: slices.Clone(g.Tensors), Nodes: slices.Clone(g.Nodes),
			Inputs: slices.Clone(g.Inputs), Outputs: slices.Clone(g.Outputs),
		},
	}
	for i := range c.dst.Nodes {
		c.dst.Nodes[i].Inputs = slices.Clone(g.Nodes[i].Inputs)
		c.dst.Nodes[i].Outputs = slices.Clone(g.Nodes[i].Outputs)
	}
	for _, id := range g.Inputs {
		if err := c.activation(id); err != nil {
			return nil, err
		}
	}
	for i := range c.dst.Nodes {
		if err := c.node(&c.dst.Nodes[i]); err != nil {
			return nil, fmt.Errorf("node %d %s: %w", i, c.dst.Nodes[i].Op.Name(), err)
		}
	}
	if err := c.dst.Infer(); err != nil {
		return nil, err
	}
	return c.dst, nil
}

// converter is one Quantize at work: dst starts as a copy of src and its
// tensors are replaced one by one in node order.
type converter struct {
	src, dst *graph.Graph
	ranges   calib.Ranges
	options  Options
}

func (c *converter) node(n *graph.Node) error {
	switch op := n.Op.(type) {
	case graph.FullyConnected:
		return c.fullyConnected(op, n)
	case graph.Softmax:
		// Probabilities always span 0 to 1: the specification fixes 1/256, −128.
		c.setActivation(n.Outputs[0], tensor.Quant{Scales: []float32{1.0 / 256}, ZeroPoints: []int32{-128}})
		return nil
	}
	return fmt.Errorf("%w: operator", ErrUnsupported)
}

// activation gives a tensor the parameters of its calibrated range.
func (c *converter) activation(id graph.TensorID) error {
	r, ok := c.ranges[id]
	if !ok {
		return fmt.Errorf("%w: tensor %d %q was not calibrated", ErrRange, id, c.src.Tensor(id).Name)
	}
	q, err := Asymmetric(r)
	if err != nil {
		return fmt.Errorf("tensor %d %q: %w", id, c.src.Tensor(id).Name, err)
	}
	c.setActivation(id, q)
	return nil
}

func (c *converter) setActivation(id graph.TensorID, q tensor.Quant) {
	t := c.dst.Tensor(id)
	t.Type, t.Quant = tensor.Int8, q
	t.Shape = slices.Clone(t.Shape)
}
