package graph

import (
	"fmt"
	"math"
	"slices"

	"kedge/runtime/tensor"
)

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

// unaryFunctions compute in float64, so that one rounding to float32 remains.
var unaryFunctions = [...]func(float64) float64{
	FuncReLU:      func(x float64) float64 { return max(x, 0) },
	FuncReLU6:     func(x float64) float64 { return min(max(x, 0), 6) },
	FuncReLUN1To1: func(x float64) float64 { return min(max(x, -1), 1) },
	FuncReLU0To1:  func(x float64) float64 { return min(max(x, 0), 1) },
	FuncHardSwish: func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 },
	FuncLogistic:  func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	FuncTanh:      math.Tanh,
	FuncELU: func(x float64) float64 {
		if x < 0 {
			return math.Expm1(x)
		}
		return x
	},
	// Φ(x) by the complementary error function, which keeps its digits where
	// 1 + erf would cancel.
	FuncGELU:   func(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 },
	FuncAbs:    math.Abs,
	FuncNeg:    func(x float64) float64 { return -x },
	FuncExp:    math.Exp,
	FuncLog:    math.Log,
	FuncSqrt:   math.Sqrt,
	FuncRsqrt:  func(x float64) float64 { return 1 / math.Sqrt(x) },
	FuncSquare: func(x float64) float64 { return x * x },
	FuncSin:    math.Sin,
	FuncCos:    math.Cos,
	FuncFloor:  math.Floor,
	FuncCeil:   math.Ceil,
	FuncRound:  math.RoundToEven,
}

// Name implements Op.
func (op Unary) Name() string { return kindName(unaryNames[:], "UNARY", int(op.Kind)) }

func (op Unary) infer(g *Graph, n *Node) ([]tensor.Shape, error) {
	if int(op.Kind) >= len(unaryFunctions) {
		return nil, fmt.Errorf("%w: function of kind %d, want less than %d", ErrInvalid, op.Kind, len(unaryFunctions))
	}
	in, err := operands(g, n, 1)
	if err != nil {
		return nil, err
	}
	return []tensor.Shape{slices.Clone(in[0].Shape)}, nil
}

func (op Unary) eval(e *Executor, n *Node) {
	x, y := e.values[n.Inputs[0]], e.values[n.Outputs[0]]
	// The frequent ones without a call for each element.
	switch op.Kind {
	case FuncReLU:
		copy(y, x)
		ReLU.apply(y)
		return
	case FuncReLU6:
		copy(y, x)
		ReLU6.apply(y)
		return
	}
	f := unaryFunctions[op.Kind]
	for i, v := range x {
		y[i] = float32(f(float64(v)))
	}
}
