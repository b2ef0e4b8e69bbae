package graph

import "kedge/runtime/tflite"

// importer says how an operator of a file is read: with at least and at most so
// many operands (most 0: any number, none missing), by read.
type importer struct {
	least, most int
	read        func(*reader, *tflite.Operator) error
}

// importers are the operators that graphs have a form for, by their code.
var importers = [...]importer{
	tflite.Conv2D:          {2, 3, importConv2D},
	tflite.DepthwiseConv2D: {2, 3, importDepthwiseConv2D},
	tflite.TransposeConv:   {3, 4, importTransposeConv},
	tflite.AveragePool2D:   {1, 1, importAveragePool2D},
	tflite.MaxPool2D:       {1, 1, importMaxPool2D},
	tflite.FullyConnected:  {2, 3, importFullyConnected},
	tflite.BatchMatMul:     {2, 2, importBatchMatMul},

	tflite.Add:               {2, 2, importBinary(Add, true)},
	tflite.Sub:               {2, 2, importBinary(Sub, true)},
	tflite.Mul:               {2, 2, importBinary(Mul, true)},
	tflite.Div:               {2, 2, importBinary(Div, true)},
	tflite.Maximum:           {2, 2, importBinary(Maximum, false)},
	tflite.Minimum:           {2, 2, importBinary(Minimum, false)},
	tflite.SquaredDifference: {2, 2, importBinary(SquaredDifference, false)},

	tflite.Relu:      {1, 1, importUnary(FuncReLU)},
	tflite.Relu6:     {1, 1, importUnary(FuncReLU6)},
	tflite.ReluN1To1: {1, 1, importUnary(FuncReLUN1To1)},
	tflite.Relu0To1:  {1, 1, importUnary(FuncReLU0To1)},
	tflite.HardSwish: {1, 1, importUnary(FuncHardSwish)},
	tflite.Logistic:  {1, 1, importUnary(FuncLogistic)},
	tflite.Tanh:      {1, 1, importUnary(FuncTanh)},
	tflite.Elu:       {1, 1, importUnary(FuncELU)},
	tflite.Gelu:      {1, 1, importGELU},
	tflite.Abs:       {1, 1, importUnary(FuncAbs)},
	tflite.Neg:       {1, 1, importUnary(FuncNeg)},
	tflite.Exp:       {1, 1, importUnary(FuncExp)},
	tflite.Log:       {1, 1, importUnary(FuncLog)},
	tflite.Sqrt:      {1, 1, importUnary(FuncSqrt)},
	tflite.Rsqrt:     {1, 1, importUnary(FuncRsqrt)},
	tflite.Square:    {1, 1, importUnary(FuncSquare)},
	tflite.Sin:       {1, 1, importUnary(FuncSin)},
	tflite.Cos:       {1, 1, importUnary(FuncCos)},
	tflite.Floor:     {1, 1, importUnary(FuncFloor)},
	tflite.Ceil:      {1, 1, importUnary(FuncCeil)},
	tflite.Round:     {1, 1, importUnary(FuncRound)},
	tflite.LeakyRelu: {1, 1, importLeakyReLU},
	tflite.Prelu:     {2, 2, importPReLU},

	tflite.Softmax:         {1, 1, importSoftmax},
	tflite.LogSoftmax:      {1, 1, importLogSoftmax},
	tflite.L2Normalization: {1, 1, importL2Normalization},

	tflite.Reshape:       {1, 2, importReshape},
	tflite.Squeeze:       {1, 1, importReshape},
	tflite.ExpandDims:    {2, 2, importReshape},
	tflite.Transpose:     {2, 2, importTranspose},
	tflite.Concatenation: {1, 0, importConcatenation},
	tflite.Pack:          {1, 0, importPack},
	tflite.Split:         {2, 2, importSplit},
	tflite.SplitV:        {3, 3, importSplitV},
	tflite.Unpack:        {1, 1, importUnpack},
	tflite.Slice:         {3, 3, importSlice},
	tflite.StridedSlice:  {4, 4, importSlice},
	tflite.Pad:           {2, 2, importPad},
	tflite.PadV2:         {3, 3, importPad},
	tflite.MirrorPad:     {2, 2, importMirrorPad},

	tflite.ResizeBilinear:        {2, 2, importResizeBilinear},
	tflite.ResizeNearestNeighbor: {2, 2, importResizeNearestNeighbor},
	tflite.Mean:                  {2, 2, importReduce(ReduceMean)},
	tflite.Sum:                   {2, 2, importReduce(ReduceSum)},
	tflite.ReduceMax:             {2, 2, importReduce(ReduceMax)},
	tflite.ReduceMin:             {2, 2, importReduce(ReduceMin)},

	tflite.Quantize:   {1, 1, importQuantize},
	tflite.Dequantize: {1, 1, importDequantize},
	tflite.Densify:    {1, 1, importDensify},
}
