package onnx

import "fmt"

// attributeProto is a node's attribute: one of its kinds is set, as the kind
// says. Attributes that hold graphs, types or sparse tensors keep only their kind.
type attributeProto struct {
	name    string
	kind    int64
	float   float32
	integer int64
	text    string
	tensor  *tensorProto
	floats  []float32
	ints    []int64
}

// The kinds of attributes, AttributeProto.AttributeType.
const (
	attributeFloat  = 1
	attributeInt    = 2
	attributeString = 3
	attributeTensor = 4
	attributeFloats = 6
	attributeInts   = 7
)

func (a *attributeProto) decode(b []byte) error {
	return fields(b, func(f field) error {
		switch f.number {
		case 1:
			return f.text(&a.name)
		case 2:
			return f.float(&a.float)
		case 3:
			return f.integer(&a.integer)
		case 4:
			return f.text(&a.text)
		case 5:
			a.tensor = &tensorProto{}
			return f.message(a.tensor.decode)
		case 7:
			return f.floats(&a.floats)
		case 8:
			return f.integers(&a.ints)
		case 20:
			return f.integer(&a.kind)
		}
		return nil
	})
}

// attribute returns the node's attribute of that name, nil when it has none.
func (n *nodeProto) attribute(name string) *attributeProto {
	for i := range n.attributes {
		if n.attributes[i].name == name {
			return &n.attributes[i]
		}
	}
	return nil
}

// given is attribute for one of the given kind.
func (c *call) given(name string, kind int64) *attributeProto {
	a := c.node.attribute(name)
	if a != nil && a.kind != kind {
		c.fail(fmt.Errorf("%w: attribute %s is of kind %d, want %d", ErrFormat, name, a.kind, kind))
		return nil
	}
	return a
}

func (c *call) integer(name string, absent int64) int64 {
	if a := c.given(name, attributeInt); a != nil {
		return a.integer
	}
	return absent
}

func (c *call) float(name string, absent float32) float32 {
	if a := c.given(name, attributeFloat); a != nil {
		return a.float
	}
	return absent
}

func (c *call) text(name, absent string) string {
	if a := c.given(name, attributeString); a != nil {
		return a.text
	}
	return absent
}

// integers is nil when the attribute is absent.
func (c *call) integers(name string) []int64 {
	if a := c.given(name, attributeInts); a != nil {
		return append([]int64{}, a.ints...)
	}
	return nil
}

// maxExtent bounds strides, kernels, paddings and the like: more than any
// image has, little enough that products of two do not overflow.
const maxExtent = 1 << 24

// extents is an attribute of n numbers between low and maxExtent, all of them
// absent when the attribute is.
func (c *call) extents(name string, n, low, absent int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = absent
	}
	list := c.integers(name)
	if list == nil {
		return out
	}
	if len(list) != n {
		c.fail(fmt.Errorf("%w: %d %s, want %d", ErrFormat, len(list), name, n))
		return out
	}
	for i, v := range list {
		if v < int64(low) || v > maxExtent {
			c.fail(fmt.Errorf("%w: %s %v, want numbers between %d and %d", ErrFormat, name, list, low, maxExtent))
			return out
		}
		out[i] = int(v)
	}
	return out
}
