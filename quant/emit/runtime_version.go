package emit

import (
	"strconv"
	"strings"

	"kedge/runtime/tflite"
)

// minRuntimeSize is the length of the buffer "min_runtime_version", zeros behind the
// text.
const minRuntimeSize = 16

// minRuntime is the oldest TFLite release that has all operators of a file in their
// versions, as the converter notes it.
func minRuntime(codes []operatorCode) []byte {
	oldest := ""
	for _, c := range codes {
		if list := runtimes[c.code]; c.version <= len(list) && newer(list[c.version-1], oldest) {
			oldest = list[c.version-1]
		}
	}
	return append([]byte(oldest), make([]byte, minRuntimeSize-len(oldest))...)
}

// newer compares release numbers part by part.
func newer(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(x), len(y)) {
		// An empty text, which no release has, is 0.
		m, _ := strconv.Atoi(x[i])
		n, _ := strconv.Atoi(y[i])
		if m != n {
			return m > n
		}
	}
	return len(x) > len(y)
}

// runtimes gives, for each operator, the releases that brought its versions 1, 2, ….
// Source: the converter's runtime_version.cc.
var runtimes = map[tflite.Code][]string{
	tflite.Conv2D:                {"1.5.0", "1.14.0", "1.14.0", "2.3.0", "2.4.0", "2.9.0", "2.11.0", "2.15.0"},
	tflite.DepthwiseConv2D:       {"1.5.0", "1.12.0", "1.14.0", "2.2.0", "2.3.0", "2.3.0", "2.11.0"},
	tflite.TransposeConv:         {"1.9.0", "2.2.0", "2.3.0", "2.13.0", "2.15.0"},
	tflite.AveragePool2D:         {"1.5.0", "1.14.0", "2.3.0"},
	tflite.MaxPool2D:             {"1.5.0", "1.14.0", "2.3.0"},
	tflite.FullyConnected:        {"1.5.0", "1.10.0", "1.14.0", "1.14.0", "2.0.0", "2.1.0", "2.3.0", "2.3.0", "2.3.0", "2.11.0", "2.15.0", "2.17.0", "2.18.0", "2.21.0"},
	tflite.BatchMatMul:           {"2.3.0", "2.3.0", "2.4.0", "2.5.0"},
	tflite.Add:                   {"1.5.0", "1.14.0", "2.4.0", "2.6.0", "2.13.0", "2.23.0"},
	tflite.Sub:                   {"1.6.0", "1.14.0", "2.3.0", "2.4.0", "2.4.0"},
	tflite.Mul:                   {"1.5.0", "1.14.0", "1.15.0", "2.3.0", "2.6.0", "2.11.0", "2.13.0", "2.23.0"},
	tflite.Div:                   {"1.6.0", "2.3.0"},
	tflite.Maximum:               {"1.14.0", "1.14.0", "2.3.0", "2.3.0"},
	tflite.Minimum:               {"1.14.0", "1.14.0", "2.3.0", "2.3.0"},
	tflite.SquaredDifference:     {"1.13.1", "2.5.0"},
	tflite.Relu:                  {"1.5.0", "2.1.0", "2.5.0"},
	tflite.Relu6:                 {"1.5.0", "1.14.0", "2.5.0"},
	tflite.ReluN1To1:             {"1.5.0"},
	tflite.Relu0To1:              {"2.10.0"},
	tflite.HardSwish:             {"1.15.0"},
	tflite.Logistic:              {"1.14.0", "1.14.0", "2.3.0"},
	tflite.Tanh:                  {"1.14.0", "1.14.0", "2.3.0"},
	tflite.Elu:                   {"1.14.0"},
	tflite.Gelu:                  {"2.9.0", "2.9.0", "2.23.0"},
	tflite.LeakyRelu:             {"1.13.1", "2.3.0"},
	tflite.Prelu:                 {"1.8.0"},
	tflite.Abs:                   {"1.13.0", "2.4.0", "2.5.0", "2.6.0", "2.12.0"},
	tflite.Neg:                   {"1.9.0"},
	tflite.Exp:                   {"1.7.0", "2.12.0"},
	tflite.Log:                   {"1.14.0", "2.15.0"},
	tflite.Sqrt:                  {"1.10.0", "2.21.0"},
	tflite.Rsqrt:                 {"1.10.0", "2.5.0", "2.15.0"},
	tflite.Square:                {"1.12.0"},
	tflite.Sin:                   {"1.9.0", "2.23.0"},
	tflite.Cos:                   {"1.14.0", "2.23.0"},
	tflite.Floor:                 {"1.9.0"},
	tflite.Ceil:                  {"1.14.0"},
	tflite.Round:                 {"1.14.0"},
	tflite.Softmax:               {"1.5.0", "1.14.0", "2.3.0", "2.23.0"},
	tflite.LogSoftmax:            {"1.14.0", "1.14.0"},
	tflite.L2Normalization:       {"1.5.0", "1.14.0"},
	tflite.Mean:                  {"1.6.0", "1.14.0", "2.4.0"},
	tflite.Sum:                   {"1.10.0", "1.15.0"},
	tflite.ReduceMax:             {"1.11.0", "1.14.0", "2.5.0"},
	tflite.ReduceMin:             {"1.11.0", "1.14.0", "2.5.0"},
	tflite.Reshape:               {"1.5.0"},
	tflite.Transpose:             {"1.6.0", "1.14.0", "1.15.0", "2.3.0", "2.4.0", "2.12.0", "2.14.4", "2.22.0", "2.23.0"},
	tflite.Concatenation:         {"1.5.0", "1.14.0", "2.3.0", "2.14.0", "2.21.0", "2.23.0", "2.23.0"},
	tflite.Split:                 {"1.5.0", "1.14.0", "1.14.0", "2.3.0", "2.23.0"},
	tflite.SplitV:                {"1.13.1", "2.3.0", "2.23.0"},
	tflite.Slice:                 {"1.14.0", "1.14.0", "1.14.0", "2.4.0", "2.5.0", "2.14.0", "2.21.0", "2.23.0"},
	tflite.StridedSlice:          {"1.6.0", "1.14.0", "2.1.0", "2.2.0", "2.5.0", "2.6.0", "2.14.0", "2.14.0"},
	tflite.Pad:                   {"1.5.0", "1.14.0", "2.4.0", "2.6.0", "2.20.0", "2.23.0"},
	tflite.PadV2:                 {"1.9.0", "1.14.0", "2.4.0", "2.6.0", "2.20.0", "2.23.0"},
	tflite.MirrorPad:             {"1.13.1", "2.3.0", "2.12.0"},
	tflite.ResizeBilinear:        {"1.7.0", "1.14.0", "2.2.0", "2.5.0"},
	tflite.ResizeNearestNeighbor: {"1.13.1", "1.14.0", "2.3.0", "2.4.0"},
	tflite.Quantize:              {"1.14.0", "1.15.0", "2.7.0", "2.21.0", "2.21.0", "2.21.0"},
	tflite.Dequantize:            {"1.13.1", "1.14.0", "1.15.0", "2.2.0", "2.7.0", "2.18.0", "2.21.0", "2.22.0", "2.23.0"},
	tflite.Densify:               {"2.2.0"},
}
