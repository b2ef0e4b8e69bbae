package graph

// Function is what a Unary computes.
type Function uint8

// The functions of one operand without parameters.
const (
	FuncReLU Function = iota
	FuncReLU6
	FuncReLUN1To1
	FuncReLU0To1
	FuncHardSwish // x·min(max(x+3, 0), 6)/6
	FuncLogistic
	FuncTanh
	FuncELU  // x, or exp(x) − 1 below 0
	FuncGELU // x·Φ(x), exact
	FuncAbs
	FuncNeg
	FuncExp
	FuncLog
	FuncSqrt
	FuncRsqrt
	FuncSquare
	FuncSin
	FuncCos
	FuncFloor
	FuncCeil
	FuncRound // halves to even
)

// Unary applies a function to every element; the shape stays.
type Unary struct{ Kind Function }

var unaryNames = [...]string{
	FuncReLU: "RELU", FuncReLU6: "RELU6", FuncReLUN1To1: "RELU_N1_TO_1", FuncReLU0To1: "RELU_0_TO_1", FuncHardSwish: "HARD_SWISH",
	FuncLogistic: "LOGISTIC", FuncTanh: "TANH", FuncELU: "ELU", FuncGELU: "GELU", FuncAbs: "ABS", FuncNeg: "NEG", FuncExp: "EXP", FuncLog: "LOG", FuncSqrt: "SQRT", FuncRsqrt: "RSQRT",
	FuncSquare: "SQUARE", FuncSin: "SIN", FuncCos: "COS", FuncFloor: "FLOOR", FuncCeil: "CEIL", FuncRound: "ROUND",
}

// Name implements Op.
func (op Unary) Name() string { return unaryNames[op.Kind] }

// LeakyReLU is x, or Alpha·x below 0.
type LeakyReLU struct{ Alpha float32 }

// Name implements Op.
func (LeakyReLU) Name() string { return "LEAKY_RELU" }

// PReLU is x, or alpha·x below 0, with one constant alpha for each element of
// the last dimensions. Inputs: x, alpha (broadcasts to x).
type PReLU struct{}

// Name implements Op.
func (PReLU) Name() string { return "PRELU" }
