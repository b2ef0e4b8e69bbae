package ptq

import (
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// traits is what quantization has to know of an operator: which types package
// runtime computes it in, and what the specification demands of its parameters.
type traits struct {
	int8, int16, float bool
	// same: inputs and outputs have one pair of parameters, since the operator moves
	// or compares raw values.
	same bool
	// clips: saturating the inputs to some interval saturates the outputs to it and
	// does nothing else, so that an input needs no wider range than the output.
	clips bool
	// fixed8 and fixed16 are the output's parameters where the operator prescribes
	// them.
	fixed8, fixed16 tensor.Quant
}

func fixed(scale float32, zero int32) tensor.Quant {
	return tensor.Quant{Scales: []float32{scale}, ZeroPoints: []int32{zero}}
}

// What many operators have in common.
var (
	compute = traits{int8: true, int16: true, float: true}
	narrow  = traits{int8: true, float: true}
	move    = traits{int8: true, int16: true, float: true, same: true, clips: true}
	blend   = traits{int8: true, int16: true, float: true, same: true}
	real    = traits{float: true}
)

// table has the operators by name. Sources: TFLite's 8-bit quantization
// specification, its converter's table of operator properties, and what package
// runtime's operators accept, which is less in places (its RELU6 keeps the
// input's parameters).
var table = map[string]traits{
	"CONV_2D":           compute,
	"DEPTHWISE_CONV_2D": compute,
	"TRANSPOSE_CONV":    compute,
	"FULLY_CONNECTED":   compute,
	"BATCH_MATMUL":      compute,

	"ADD":                compute,
	"SUB":                compute,
	"MUL":                compute,
	"DIV":                narrow,
	"SQUARED_DIFFERENCE": narrow, // TFLite has it for int16 in its Micro variant alone
	"MAXIMUM":            move,
	"MINIMUM":            move,

	"RELU":         compute,
	"RELU_N1_TO_1": narrow,
	"RELU_0_TO_1":  narrow,
	"RELU6":        move,
	"LEAKY_RELU":   compute,
	"PRELU":        compute,
	"HARD_SWISH":   narrow,
	"ELU":          narrow,
	"ABS":          compute,
	"RSQRT":        compute,
	"LOGISTIC":     {int8: true, int16: true, float: true, fixed8: fixed(1.0/256, -128), fixed16: fixed(1.0/32768, 0)},
	"TANH":         {int8: true, int16: true, float: true, fixed8: fixed(1.0/128, 0), fixed16: fixed(1.0/32768, 0)},

	"NEG":    real,
	"EXP":    real,
	"LOG":    real,
	"SQRT":   real,
	"SQUARE": real,
	"SIN":    real,
	"COS":    real,
	"FLOOR":  real,
	"CEIL":   real,
	"ROUND":  real,

	"SOFTMAX":          {int8: true, int16: true, float: true, fixed8: fixed(1.0/256, -128), fixed16: fixed(1.0/32768, 0)},
	"LOG_SOFTMAX":      {int8: true, float: true, fixed8: fixed(16.0/256, 127)},
	"L2_NORMALIZATION": {int8: true, float: true, fixed8: fixed(1.0/128, 0)},

	"AVERAGE_POOL_2D": blend,
	"MAX_POOL_2D":     move,
	"MEAN":            compute,
	"SUM":             compute,
	"REDUCE_MAX":      {int8: true, float: true, same: true, clips: true},
	"REDUCE_MIN":      {int8: true, float: true, same: true, clips: true},

	"RESHAPE":                 move,
	"TRANSPOSE":               move,
	"CONCATENATION":           move,
	"SPLIT":                   move,
	"SPLIT_V":                 move,
	"SLICE":                   move,
	"STRIDED_SLICE":           move,
	"PAD":                     move,
	"PADV2":                   move,
	"MIRROR_PAD":              move,
	"RESIZE_NEAREST_NEIGHBOR": move,
	"RESIZE_BILINEAR":         {int8: true, float: true, same: true},
}

// form is what applies to an operator in one type of activations.
type form struct {
	same, clips bool
	fixed       tensor.Quant // none when it has no scale
}

// has reports whether the operator is computed in that type.
func (t traits) has(to tensor.Type) bool {
	switch to {
	case tensor.Int8:
		return t.int8
	case tensor.Int16:
		return t.int16
	}
	return t.float
}

// formOf is what applies to op in that type; nothing does to float32.
func formOf(op graph.Op, to tensor.Type) form {
	t := table[op.Name()]
	switch to {
	case tensor.Int8:
		return form{t.same, t.clips, t.fixed8}
	case tensor.Int16:
		// TFLite's SUM of int16 adds raw values without requantizing.
		return form{t.same || op.Name() == "SUM", t.clips, t.fixed16}
	}
	return form{}
}

// joins reports whether op has several inputs of equal standing.
func joins(op graph.Op) bool {
	switch op := op.(type) {
	case graph.Concatenation:
		return true
	case graph.Binary:
		return op.Kind == graph.Maximum || op.Kind == graph.Minimum
	}
	return false
}

// refusal says why package runtime cannot compute the operator in any type, or
// nothing.
func refusal(op graph.Op) string {
	if op, ok := op.(graph.Concatenation); ok && op.Activation != graph.Linear {
		return "fused " + op.Activation.String() + "; it has to be an operator of its own"
	}
	switch op.(type) {
	case graph.Quantize, graph.Dequantize:
		return "the model is partly quantized; fold the pairs of QUANTIZE and DEQUANTIZE first"
	}
	if _, ok := table[op.Name()]; !ok {
		return "the runtime has no such operator, neither in int8 nor in float32"
	}
	return ""
}
