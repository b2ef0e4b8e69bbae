package onnx

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// nodeTests is where Debian's package libonnx-testdata puts ONNX's own tests
// of single operators: a model, its inputs and its outputs.
const nodeTests = "/usr/share/libonnx-testdata/data/node"

// tested are the operators whose node tests must pass: every case whose nodes
// are all of these.
var tested = strings.Fields(`Abs Add AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv ConvTranspose Cos
	DepthToSpace DequantizeLinear Div Dropout Elu Exp Flatten Floor Gather Gelu Gemm GlobalAveragePool GlobalMaxPool HardSigmoid
	HardSwish Identity LeakyRelu Log LogSoftmax MatMul Max MaxPool Mean Min Mul Neg PRelu Pad Pow QuantizeLinear Range Reciprocal
	ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape Resize Round Shape Sigmoid Sin Slice Softmax SpaceToDepth Split Sqrt
	Squeeze Sub Sum Tanh Transpose Unsqueeze`)

// parameters are the inputs that the tests give at run time and that trained
// models have as constants, as TFLite does. Integers are constants always.
var parameters = map[string][]int{
	"BatchNormalization": {1, 2, 3, 4}, "Clip": {1, 2}, "Conv": {1, 2}, "ConvTranspose": {1, 2}, "Dropout": {1, 2},
	"DequantizeLinear": {1}, "Gemm": {1, 2}, "PRelu": {1}, "Pad": {2}, "Pow": {1}, "QuantizeLinear": {1}, "Range": {0, 1, 2}, "Resize": {1, 2},
}

// excluded are cases that belong to the operators and do not pass, with the
// reason.
var excluded = map[string]string{
	"averagepool_3d_default":                      "three dimensions; TFLite has images in two",
	"batchnorm_epsilon_training_mode":             "training mode",
	"batchnorm_example_training_mode":             "training mode",
	"blackmanwindow_expanded":                     "the model has 3.1415 for π, its expected output does not",
	"blackmanwindow_symmetric_expanded":           "the model has 3.1415 for π, its expected output does not",
	"cast_FLOAT_to_STRING":                        "strings",
	"cast_STRING_to_FLOAT":                        "strings",
	"castlike_BFLOAT16_to_FLOAT_expanded":         "an input has another shape than the model declares",
	"castlike_FLOAT_to_BFLOAT16_expanded":         "an input has another shape than the model declares",
	"castlike_FLOAT_to_STRING_expanded":           "strings",
	"castlike_STRING_to_FLOAT_expanded":           "strings",
	"clip_default_int8_max":                       "computes with integers",
	"clip_default_int8_min":                       "computes with integers",
	"convtranspose_3d":                            "three dimensions; TFLite has images in two",
	"dropout_default_mask":                        "Dropout's mask as a result",
	"dropout_default_mask_ratio":                  "Dropout's mask as a result",
	"dynamicquantizelinear_expanded":              "quantization parameters computed at run time",
	"dynamicquantizelinear_max_adjusted_expanded": "quantization parameters computed at run time",
	"dynamicquantizelinear_min_adjusted_expanded": "quantization parameters computed at run time",
	"hammingwindow_expanded":                      "the model has 3.1415 for π, its expected output does not",
	"hammingwindow_symmetric_expanded":            "the model has 3.1415 for π, its expected output does not",
	"hannwindow_expanded":                         "the model has 3.1415 for π, its expected output does not",
	"hannwindow_symmetric_expanded":               "the model has 3.1415 for π, its expected output does not",
	"identity_opt":                                "sequences and optional values",
	"identity_sequence":                           "sequences and optional values",
	"maxpool_2d_uint8":                            "computes with integers",
	"maxpool_3d_default":                          "three dimensions; TFLite has images in two",
	"maxpool_with_argmax_2d_precomputed_pads":     "MaxPool's indices as a result",
	"maxpool_with_argmax_2d_precomputed_strides":  "MaxPool's indices as a result",
	"pow":                            "a different exponent for each element",
	"pow_bcast_array":                "a different exponent for each element",
	"pow_example":                    "a different exponent for each element",
	"pow_types_float":                "a different exponent for each element",
	"pow_types_float32_int32":        "a different exponent for each element",
	"pow_types_float32_int64":        "a different exponent for each element",
	"pow_types_float32_uint32":       "a different exponent for each element",
	"pow_types_float32_uint64":       "a different exponent for each element",
	"pow_types_int":                  "a different exponent for each element",
	"pow_types_int32_float32":        "a different exponent for each element",
	"pow_types_int32_int32":          "a different exponent for each element",
	"pow_types_int64_float32":        "a different exponent for each element",
	"pow_types_int64_int64":          "a different exponent for each element",
	"reshape_allowzero_reordered":    "tensors without elements",
	"resize_downsample_scales_cubic": "cubic interpolation",
	"resize_downsample_scales_cubic_A_n0p5_exclude_outside": "cubic interpolation",
	"resize_downsample_scales_cubic_align_corners":          "cubic interpolation",
	"resize_downsample_sizes_cubic":                         "cubic interpolation",
	"resize_tf_crop_and_resize":                             "a region of interest",
	"resize_upsample_scales_cubic":                          "cubic interpolation",
	"resize_upsample_scales_cubic_A_n0p5_exclude_outside":   "cubic interpolation",
	"resize_upsample_scales_cubic_align_corners":            "cubic interpolation",
	"resize_upsample_scales_cubic_asymmetric":               "cubic interpolation",
	"resize_upsample_sizes_cubic":                           "cubic interpolation",
	"slice_start_out_of_bounds":                             "tensors without elements",
	"split_zero_size_splits":                                "tensors without elements",
	"training_dropout":                                      "training mode",
	"training_dropout_default":                              "training mode",
	"training_dropout_default_mask":                         "training mode",
	"training_dropout_mask":                                 "training mode",
	"training_dropout_zero_ratio_mask":                      "Dropout's mask as a result",
}

func TestNodes(t *testing.T) {
	models, _ := filepath.Glob(filepath.Join(nodeTests, "test_*", "model.onnx"))
	if len(models) == 0 {
		if os.Getenv("KEDGE_REQUIRE_SHARED") == "1" {
			t.Fatalf("no ONNX node tests in %s: install libonnx-testdata", nodeTests)
		}
		t.Skipf("ONNX node tests are absent: no %s (Debian: libonnx-testdata)", nodeTests)
	}
	ran, unseen := map[string]int{}, maps.Clone(excluded)
	for _, path := range models {
		name := strings.TrimPrefix(filepath.Base(filepath.Dir(path)), "test_")
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := decodeModel(file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !belongs(m) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			err := runCase(file, m, filepath.Join(filepath.Dir(path), "test_data_set_0"))
			why, skip := excluded[name]
			delete(unseen, name)
			switch {
			case skip && err == nil:
				t.Errorf("passes, but is excluded because %s", why)
			case !skip && err != nil:
				t.Error(err)
			case !skip:
				for i := range m.graph.nodes {
					ran[m.graph.nodes[i].operator]++
				}
			}
		})
	}
	for name := range unseen {
		t.Errorf("excluded case %s does not exist", name)
	}
	for _, op := range tested {
		if ran[op] == 0 && op != "Gelu" {
			t.Errorf("no case of operator %s passed", op)
		}
	}
	t.Logf("operators in the cases that passed: %v", ran)
}

// belongs reports whether all nodes of m are tested operators.
func belongs(m *modelProto) bool {
	return len(m.graph.nodes) > 0 && !slices.ContainsFunc(m.graph.nodes, func(n nodeProto) bool { return !slices.Contains(tested, n.operator) })
}

// runCase imports a node test, runs it and compares its outputs.
func runCase(file []byte, m *modelProto, dir string) error {
	inputs, err := readTensors(dir, "input", m.graph.inputs)
	if err != nil {
		return err
	}
	want, err := readTensors(dir, "output", m.graph.outputs)
	if err != nil {
		return err
	}
	options, fed := Options{Constants: map[string]Tensor{}}, map[string]*Tensor{}
	for i := range m.graph.inputs {
		name := m.graph.inputs[i].name
		if !inputs[i].isReal() || isParameter(m, name) {
			options.Constants[name] = *inputs[i]
		} else {
			fed[name] = inputs[i]
		}
	}
	got, err := evaluate(file, options, fed)
	if err != nil {
		return err
	}
	for i := range want {
		if err := compare(got[i], want[i]); err != nil {
			return fmt.Errorf("output %q: %w", m.graph.outputs[i].name, err)
		}
	}
	return nil
}

func isParameter(m *modelProto, name string) bool {
	for i := range m.graph.nodes {
		n := &m.graph.nodes[i]
		if slices.ContainsFunc(parameters[n.operator], func(p int) bool { return p < len(n.inputs) && n.inputs[p] == name }) {
			return true
		}
	}
	return false
}

func readTensors(dir, kind string, declared []valueInfo) ([]*Tensor, error) {
	out := make([]*Tensor, len(declared))
	for i := range out {
		file, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%s_%d.pb", kind, i)))
		if err != nil {
			return nil, err
		}
		var p tensorProto
		if err := p.decode(file); err != nil {
			return nil, err
		}
		if out[i], err = p.values(); err != nil {
			return nil, err
		}
		if declared[i].elemType == 16 && out[i].Type == tensor.Uint16 { // NumPy, which wrote the files, has no bfloat16
			p.dataType = 16
			if out[i], err = p.values(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// evaluate imports a model and runs it on inputs in ONNX layout. Outputs that
// do not depend on inputs are what the import computed.
func evaluate(file []byte, options Options, inputs map[string]*Tensor) ([]*Tensor, error) {
	im, err := load(file, options)
	if err != nil {
		return nil, err
	}
	if len(im.unsupported) > 0 {
		return nil, &UnsupportedError{im.unsupported}
	}
	out := make([]*Tensor, len(im.model.graph.outputs))
	constant := true
	for i, o := range im.model.graph.outputs {
		v := im.values[o.name]
		if v == nil || !v.isConstant() {
			constant = false
			continue
		}
		out[i] = &v.Tensor
	}
	if constant {
		return out, nil
	}
	m, err := im.finish()
	if err != nil {
		return nil, err
	}
	e, err := graph.NewExecutor(m.Graph)
	if err != nil {
		return nil, err
	}
	samples := make([][]float32, len(m.Inputs))
	for i, in := range m.Inputs {
		t := inputs[in.Name]
		if !slices.Equal(t.Shape, in.Shape) {
			return nil, fmt.Errorf("input %q: got shape %v, want %v", in.Name, in.Shape, t.Shape)
		}
		samples[i] = t.Float
		if in.Perm != nil {
			samples[i] = rearranged(t, in.Perm)
		}
	}
	results, err := e.Run(samples, nil)
	if err != nil {
		return nil, err
	}
	for i, r := range results {
		out[i] = &Tensor{Shape: m.Outputs[i].Shape, Type: tensor.Float32, Float: r}
		if got := m.Graph.Tensor(m.Graph.Outputs[i]).Shape; !slices.Equal(got, out[i].Shape) {
			return nil, fmt.Errorf("output %d: the graph has shape %v, the model says %v", i, got, out[i].Shape)
		}
	}
	return out, nil
}

// rearranged is t with its dimensions permuted.
func rearranged(t *Tensor, perm []int) []float32 {
	c := &call{im: newImporter(&modelProto{}, newBudget(1<<20))}
	return c.permute(*t, perm).Float
}

// compare allows what a result's type and one rounding more or less explain.
func compare(got, want *Tensor) error {
	if !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("got shape %v, want %v", got.Shape, want.Shape)
	}
	relative := 1e-5
	switch want.Type {
	case tensor.Float16:
		relative = 1.0 / 1024
	case tensor.BFloat16:
		relative = 1.0 / 128
	}
	at := func(t *Tensor, i int) float64 {
		if t.isReal() {
			return float64(t.Float[i])
		}
		return float64(t.Int[i])
	}
	if got.length() != want.length() {
		return fmt.Errorf("got %d elements, want %d", got.length(), want.length())
	}
	for i := range want.length() {
		g, w := at(got, i), at(want, i)
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		if !(math.Abs(g-w) <= 1e-6+relative*math.Abs(w)) || !want.isReal() {
			return fmt.Errorf("element %d: got %v, want %v", i, g, w)
		}
	}
	return nil
}
