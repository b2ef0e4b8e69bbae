package graph

// Arithmetic is what a Binary computes.
type Arithmetic uint8

// The operators of two operands.
const (
	Add Arithmetic = iota
	Sub
	Mul
	Div
	Maximum
	Minimum
	SquaredDifference
)

// Binary combines two inputs element by element; shapes broadcast as in NumPy.
// Either input, but not both, may be a constant. Maximum, Minimum and
// SquaredDifference have no fused activation.
type Binary struct {
	Kind       Arithmetic
	Activation Activation
}

var binaryNames = [...]string{Add: "ADD", Sub: "SUB", Mul: "MUL", Div: "DIV", Maximum: "MAXIMUM", Minimum: "MINIMUM", SquaredDifference: "SQUARED_DIFFERENCE"}

// Name implements Op.
func (op Binary) Name() string { return binaryNames[op.Kind] }
