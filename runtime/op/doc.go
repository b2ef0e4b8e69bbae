// Package op defines the operators: for each one a file that checks what the
// model asks for and prepares it once ([Prepare]), and evaluates it on every
// inference ([Evaluator]).
//
// The definitions are the reference kernels of TensorFlow Lite Micro with double
// rounding, byte for byte. Parameters are computed in the floating-point
// precision and order that those use, each step rounded by an explicit
// conversion because Go may otherwise fuse a multiplication with an addition.
//
// uint8 is the type of models from before int8, whose weights have a zero point.
// TensorFlow Lite Micro does not compute on it; there the definition is that of
// TensorFlow Lite's reference kernels, and what those refuse is refused.
//
// On float32 every step is rounded to float32 in the reference's order, and e^x,
// ln x, e^x − 1, tanh, sine and cosine are computed as the C library does on which
// its results were made. Only what bits a NaN has may differ from board to board.
//
// Of TensorFlow Lite Micro's operators IF and WHILE are left out: a subgraph here
// runs once in its caller's memory (CALL_ONCE) or not at all. Weights, axes,
// permutations and paddings have to be constants, though the reference would take
// computed ones: converters fold them, and what is known at load can be checked.
// Weights of float32, and where SLICE and DYNAMIC_UPDATE_SLICE begin, may be
// computed.
//
// A prepared operator is immutable. All that changes from one inference to the
// next lies in the [Memory] handed to Eval, so sessions of one model can
// evaluate the same operators concurrently.
package op

import (
	"errors"
	"fmt"

	"kedge/runtime/kernel"
	"kedge/runtime/tflite"
)

// Evaluator is an operator bound to its tensors.
type Evaluator interface {
	// Eval computes the outputs from the inputs. It neither allocates nor fails:
	// everything that could be wrong was checked by Prepare.
	Eval(m *Memory)
}

// KernelOf names what computes an operator: kernels of an instruction set
// ("avx512vnni gemm 8x32"), or "go".
func KernelOf(e Evaluator) string {
	if k, ok := e.(interface{ Kernel() string }); ok {
		return k.Kernel()
	}
	return "go"
}

// Divided reports whether an operator's work is in parts that several threads may
// compute.
func Divided(e Evaluator) bool {
	k, ok := e.(interface{ Parts() int })
	return ok && k.Parts() > 1
}

// Prep is what an operator is prepared from, and what it asks for.
type Prep struct {
	Index    int              // of the operator in its subgraph
	Operator *tflite.Operator // what the model says
	Tensors  []tflite.Tensor  // of the subgraph; RESHAPE resolves a -1 in its output's shape
	Kernels  *kernel.Set
	Numerics Numerics       // what defines the results
	Budget   *tflite.Budget // for what preparation allocates

	Subgraph  int               // index of the operator's subgraph; 0 is the main one
	Subgraphs []tflite.Subgraph // of the model
	Variables []Variable        // of the model
	Handles   []int32           // by tensor of the subgraph, see Variables.Resolve; nil for none
	Slot      int               // number for the next operator that sets Calls
	StateSlot int               // number for the next operator of the subgraph that sets State
	Padding   *Padding          // of a PAD whose output is input 0 and goes nowhere else; nil for none

	// Set by preparation.
	MACs     int64    // multiply-accumulate operations of one evaluation
	Work     int64    // other steps of it, where they are more than its operands' bytes
	Scratch  int      // bytes of working memory during Eval
	State    int      // bytes of Memory.States[StateSlot], which stay from one evaluation to the next
	Alias    bool     // output 0 may lie in input 0's memory, byte for byte
	InPlace  []int    // inputs that output 0 may be written over, once nothing else needs them
	Pads     *Padding // what a PAD does, where the next operator could; nil where not
	Unpadded bool     // Padding was taken over: Eval reads Padding.From instead of input 0
	Calls    int      // subgraph that Eval has run by Memory.Once; 0 for none
}

// Prepare checks the operator and binds it to its tensors. Its errors are
// *[Error], wrapping [ErrUnsupported], [ErrInvalid] or what the budget says.
func Prepare(p *Prep) (Evaluator, error) {
	define := p.Numerics.definition(p.Operator)
	if define == nil {
		return nil, &Error{Index: p.Index, Subgraph: p.Subgraph, Operator: p.Operator.Name(), Err: ErrUnsupported}
	}
	for i := range p.Operator.Inputs {
		if t := p.in(i); t.given() {
			if err := p.Budget.Read(len(t.Data)); err != nil {
				return nil, p.fail(t, fmt.Sprintf("%v %v", t.Type, t.Shape), "", err)
			}
		}
	}
	e, err := define(p)
	if _, ok := errors.AsType[*Error](err); err != nil && !ok {
		err = p.fail(operand{}, "", "", err)
	}
	return e, err
}

// table lists every builtin operator there is, as the reference defines it.
var table = map[tflite.Code]prepare{
	tflite.Abs:                        prepareAbs,
	tflite.Add:                        prepareAdd,
	tflite.AddN:                       prepareAddN,
	tflite.ArgMax:                     prepareArgMax,
	tflite.ArgMin:                     prepareArgMin,
	tflite.AssignVariable:             prepareAssignVariable,
	tflite.AveragePool2D:              prepareAveragePool2D,
	tflite.BatchMatMul:                prepareBatchMatMul,
	tflite.BatchToSpaceND:             prepareBatchToSpaceND,
	tflite.BroadcastArgs:              prepareBroadcastArgs,
	tflite.BroadcastTo:                prepareBroadcastTo,
	tflite.CallOnce:                   prepareCallOnce,
	tflite.Cast:                       prepareCast,
	tflite.Ceil:                       prepareCeil,
	tflite.Concatenation:              prepareConcatenation,
	tflite.Conv2D:                     prepareConv2D,
	tflite.Cos:                        prepareCos,
	tflite.Cumsum:                     prepareCumsum,
	tflite.Densify:                    prepareDensify,
	tflite.DepthToSpace:               prepareDepthToSpace,
	tflite.DepthwiseConv2D:            prepareDepthwiseConv2D,
	tflite.Dequantize:                 prepareDequantize,
	tflite.Div:                        prepareDiv,
	tflite.DynamicUpdateSlice:         prepareDynamicUpdateSlice,
	tflite.Elu:                        prepareElu,
	tflite.EmbeddingLookup:            prepareEmbeddingLookup,
	tflite.Equal:                      prepareEqual,
	tflite.Exp:                        prepareExp,
	tflite.ExpandDims:                 prepareExpandDims,
	tflite.Fill:                       prepareFill,
	tflite.Floor:                      prepareFloor,
	tflite.FloorDiv:                   prepareFloorDiv,
	tflite.FloorMod:                   prepareFloorMod,
	tflite.FullyConnected:             prepareFullyConnected,
	tflite.Gather:                     prepareGather,
	tflite.GatherND:                   prepareGatherND,
	tflite.Greater:                    prepareGreater,
	tflite.GreaterEqual:               prepareGreaterEqual,
	tflite.HardSwish:                  prepareHardSwish,
	tflite.L2Normalization:            prepareL2Normalization,
	tflite.L2Pool2D:                   prepareL2Pool2D,
	tflite.LeakyRelu:                  prepareLeakyRelu,
	tflite.Less:                       prepareLess,
	tflite.LessEqual:                  prepareLessEqual,
	tflite.Log:                        prepareLog,
	tflite.LogSoftmax:                 prepareLogSoftmax,
	tflite.LogicalAnd:                 prepareLogicalAnd,
	tflite.LogicalNot:                 prepareLogicalNot,
	tflite.LogicalOr:                  prepareLogicalOr,
	tflite.Logistic:                   prepareLogistic,
	tflite.MaxPool2D:                  prepareMaxPool2D,
	tflite.Maximum:                    prepareMaximum,
	tflite.Mean:                       prepareMean,
	tflite.Minimum:                    prepareMinimum,
	tflite.MirrorPad:                  prepareMirrorPad,
	tflite.Mul:                        prepareMul,
	tflite.Neg:                        prepareNeg,
	tflite.NotEqual:                   prepareNotEqual,
	tflite.Pack:                       preparePack,
	tflite.Pad:                        preparePad,
	tflite.PadV2:                      preparePad,
	tflite.Prelu:                      preparePrelu,
	tflite.Quantize:                   prepareQuantize,
	tflite.ReadVariable:               prepareReadVariable,
	tflite.ReduceAll:                  prepareReduceAll,
	tflite.ReduceMax:                  prepareReduceMax,
	tflite.ReduceMin:                  prepareReduceMin,
	tflite.Relu:                       prepareRelu,
	tflite.Relu0To1:                   prepareRelu0To1,
	tflite.Relu6:                      prepareRelu6,
	tflite.ReluN1To1:                  prepareReluN1To1,
	tflite.Reshape:                    prepareReshape,
	tflite.ResizeBilinear:             prepareResizeBilinear,
	tflite.ResizeNearestNeighbor:      prepareResizeNearestNeighbor,
	tflite.ReverseV2:                  prepareReverseV2,
	tflite.Round:                      prepareRound,
	tflite.Rsqrt:                      prepareRsqrt,
	tflite.SVDF:                       prepareSVDF,
	tflite.SelectV2:                   prepareSelectV2,
	tflite.Shape:                      prepareShape,
	tflite.Sin:                        prepareSin,
	tflite.Slice:                      prepareSlice,
	tflite.Softmax:                    prepareSoftmax,
	tflite.SpaceToBatchND:             prepareSpaceToBatchND,
	tflite.SpaceToDepth:               prepareSpaceToDepth,
	tflite.Split:                      prepareSplit,
	tflite.SplitV:                     prepareSplitV,
	tflite.Sqrt:                       prepareSqrt,
	tflite.Square:                     prepareSquare,
	tflite.SquaredDifference:          prepareSquaredDifference,
	tflite.Squeeze:                    prepareSqueeze,
	tflite.StridedSlice:               prepareStridedSlice,
	tflite.Sub:                        prepareSub,
	tflite.Sum:                        prepareSum,
	tflite.Tanh:                       prepareTanh,
	tflite.Transpose:                  prepareTranspose,
	tflite.TransposeConv:              prepareTransposeConv,
	tflite.UnidirectionalSequenceLSTM: prepareUnidirectionalSequenceLSTM,
	tflite.Unpack:                     prepareUnpack,
	tflite.VarHandle:                  prepareVarHandle,
	tflite.ZerosLike:                  prepareZerosLike,
}
