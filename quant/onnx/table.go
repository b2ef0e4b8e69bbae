package onnx

import "kedge/quant/graph"

// layout is what an operator makes of the order of dimensions.
type layout uint8

const (
	ownLayout   layout = iota // it names dimensions, or changes what they mean
	anyLayout                 // element by element: the output's dimensions mean what the input's do
	imageLayout               // input 0 is (batch, channels, …) with one or two extents of an image
)

// operator is how nodes of one kind are imported.
type operator struct {
	since      int64  // the opset from which on it means what is implemented here
	inputs     int    // how many must be given
	attributes string // the names of those that are understood
	layout     layout
	folds      bool // with constant operands it is computed while importing
	moves      bool // it only moves elements, so that it may run on integers
	build      func(*call) []*value
}

const (
	convAttributes   = "auto_pad dilations group kernel_shape pads strides"
	reduceAttributes = "axes keepdims noop_with_empty_axes"
	resizeAttributes = "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value keep_aspect_ratio_policy mode nearest_mode"
)

// operators are all that can be imported.
var operators = map[string]operator{
	"Abs":                {6, 1, "", anyLayout, true, false, unary(graph.FuncAbs)},
	"Add":                {7, 2, "", anyLayout, true, false, arithmetic(graph.Add, addIntegers)},
	"AveragePool":        {7, 1, "auto_pad ceil_mode count_include_pad dilations kernel_shape pads strides", imageLayout, false, false, averagePool},
	"BatchNormalization": {9, 5, "epsilon momentum training_mode", imageLayout, true, false, batchNormalization},
	"Cast":               {6, 1, "saturate to", anyLayout, false, false, cast},
	"Ceil":               {6, 1, "", anyLayout, true, false, unary(graph.FuncCeil)},
	"Clip":               {11, 1, "", anyLayout, true, false, clip},
	"Concat":             {4, 1, "axis", ownLayout, true, true, concat},
	"Constant":           {1, 0, "value value_float value_floats value_int value_ints", ownLayout, false, false, constant},
	"ConstantOfShape":    {9, 1, "value", ownLayout, false, false, constantOfShape},
	"Conv":               {1, 2, convAttributes, imageLayout, false, false, conv},
	"ConvTranspose":      {1, 2, convAttributes + " output_padding output_shape", imageLayout, false, false, convTranspose},
	"Cos":                {7, 1, "", anyLayout, true, false, unary(graph.FuncCos)},
	"DepthToSpace":       {1, 1, "blocksize mode", imageLayout, true, true, depthToSpace},
	"DequantizeLinear":   {10, 2, "axis", anyLayout, false, false, dequantizeLinear},
	"Div":                {7, 2, "", anyLayout, true, false, arithmetic(graph.Div, divIntegers)},
	"Dropout":            {7, 1, "ratio seed", anyLayout, false, false, dropout},
	"Elu":                {6, 1, "alpha", anyLayout, true, false, elu},
	"Exp":                {6, 1, "", anyLayout, true, false, unary(graph.FuncExp)},
	"Flatten":            {1, 1, "axis", ownLayout, true, true, flatten},
	"Floor":              {6, 1, "", anyLayout, true, false, unary(graph.FuncFloor)},
	"Gather":             {1, 2, "axis", ownLayout, false, false, gather},
	"Gelu":               {20, 1, "approximate", anyLayout, true, false, gelu},
	"Gemm":               {7, 2, "alpha beta transA transB", ownLayout, true, false, gemm},
	"GlobalAveragePool":  {1, 1, "", imageLayout, true, false, globalPool(graph.ReduceMean)},
	"GlobalMaxPool":      {1, 1, "", imageLayout, true, false, globalPool(graph.ReduceMax)},
	"HardSigmoid":        {6, 1, "alpha beta", anyLayout, true, false, hardSigmoid},
	"HardSwish":          {14, 1, "", anyLayout, true, false, unary(graph.FuncHardSwish)},
	"Identity":           {1, 1, "", anyLayout, false, false, identity},
	"LeakyRelu":          {6, 1, "alpha", anyLayout, true, false, leakyRelu},
	"Log":                {6, 1, "", anyLayout, true, false, unary(graph.FuncLog)},
	"LogSoftmax":         {1, 1, "axis", ownLayout, true, false, logSoftmax},
	"MatMul":             {1, 2, "", ownLayout, true, false, matMul},
	"Max":                {8, 1, "", anyLayout, true, false, variadic(graph.Maximum, maxIntegers)},
	"MaxPool":            {1, 1, "auto_pad ceil_mode dilations kernel_shape pads storage_order strides", imageLayout, false, false, maxPool},
	"Mean":               {8, 1, "", anyLayout, true, false, mean},
	"Min":                {8, 1, "", anyLayout, true, false, variadic(graph.Minimum, minIntegers)},
	"Mul":                {7, 2, "", anyLayout, true, false, arithmetic(graph.Mul, mulIntegers)},
	"Neg":                {6, 1, "", anyLayout, true, false, unary(graph.FuncNeg)},
	"PRelu":              {7, 2, "", imageLayout, true, false, pRelu},
	"Pad":                {11, 1, "mode", anyLayout, true, true, pad},
	"Pow":                {7, 2, "", anyLayout, true, false, pow},
	"QuantizeLinear":     {10, 2, "axis saturate", anyLayout, false, false, quantizeLinear},
	"Range":              {11, 3, "", ownLayout, false, false, sequence},
	"Reciprocal":         {6, 1, "", anyLayout, true, false, reciprocal},
	"ReduceMax":          {1, 1, reduceAttributes, ownLayout, true, false, reduce(graph.ReduceMax, 18)},
	"ReduceMean":         {1, 1, reduceAttributes, ownLayout, true, false, reduce(graph.ReduceMean, 18)},
	"ReduceMin":          {1, 1, reduceAttributes, ownLayout, true, false, reduce(graph.ReduceMin, 18)},
	"ReduceSum":          {1, 1, reduceAttributes, ownLayout, true, false, reduce(graph.ReduceSum, 13)},
	"Relu":               {6, 1, "", anyLayout, true, false, unary(graph.FuncReLU)},
	"Reshape":            {5, 2, "allowzero", ownLayout, true, true, reshape},
	"Resize":             {11, 1, resizeAttributes, imageLayout, true, false, resize},
	"Round":              {11, 1, "", anyLayout, true, false, unary(graph.FuncRound)},
	"Shape":              {1, 1, "end start", ownLayout, false, false, shape},
	"Sigmoid":            {6, 1, "", anyLayout, true, false, unary(graph.FuncLogistic)},
	"Sin":                {7, 1, "", anyLayout, true, false, unary(graph.FuncSin)},
	"Slice":              {10, 3, "", ownLayout, true, true, slice},
	"Softmax":            {1, 1, "axis", ownLayout, true, false, softmax},
	"SpaceToDepth":       {1, 1, "blocksize", imageLayout, true, true, spaceToDepth},
	"Split":              {2, 1, "axis num_outputs split", ownLayout, true, true, split},
	"Sqrt":               {6, 1, "", anyLayout, true, false, unary(graph.FuncSqrt)},
	"Squeeze":            {1, 1, "axes", ownLayout, true, true, squeeze},
	"Sub":                {7, 2, "", anyLayout, true, false, arithmetic(graph.Sub, subIntegers)},
	"Sum":                {8, 1, "", anyLayout, true, false, variadic(graph.Add, addIntegers)},
	"Tanh":               {6, 1, "", anyLayout, true, false, unary(graph.FuncTanh)},
	"Transpose":          {1, 1, "perm", ownLayout, true, true, transpose},
	"Unsqueeze":          {1, 1, "axes", ownLayout, true, true, unsqueeze},
}
