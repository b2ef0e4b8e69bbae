package emit

import "kedge/runtime/tensor"

// byType gives the version by the type of the first operand; 0 means that TFLite's
// operator does not have the type.
func byType(float, int8, int16 int) func(*node) int {
	return func(n *node) int {
		switch n.in(0).Type {
		case tensor.Float32:
			return float
		case tensor.Int8:
			return int8
		case tensor.Int16:
			return int16
		}
		return 0
	}
}

// atLeast raises a version that exists.
func atLeast(least, version int) int {
	if version == 0 {
		return 0
	}
	return max(least, version)
}

// deep raises the version to least for more than four dimensions.
func deep(least int, version func(*node) int) func(*node) int {
	return func(n *node) int {
		if n.rank() > 4 {
			return atLeast(least, version(n))
		}
		return version(n)
	}
}

// broadcasting raises the version to least for operands of unequal shape with
// more than four dimensions.
func broadcasting(least int, version func(*node) int) func(*node) int {
	return func(n *node) int {
		if n.rank() > 4 && !n.in(0).Shape.Equal(n.in(1).Shape) {
			return atLeast(least, version(n))
		}
		return version(n)
	}
}

// weighted gives the version of an operator with constant weights as second
// operand; hybrid is int8 weights under float32 activations.
func weighted(n *node, float, int8, int16, hybrid int) int {
	switch {
	case n.of(0, tensor.Float32) && n.of(1, tensor.Float32):
		return float
	case n.of(0, tensor.Float32) && n.of(1, tensor.Int8):
		return hybrid
	case n.of(0, tensor.Int8) && n.of(1, tensor.Int8):
		return int8
	case n.of(0, tensor.Int16) && n.of(1, tensor.Int8):
		return int16
	}
	return 0
}
