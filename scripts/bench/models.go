package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// model is one row.
type model struct {
	name string
	file []byte
	peer string // the other runtime's file of the same network, or empty
}

// reference are the models of ../shared, with the other runtime's file.
var reference = []struct{ name, peer string }{
	{"mlperf_ic_resnet8", "resnet_u8.onnx"},
	{"mlperf_kws_dscnn", "kws_u8.onnx"},
	{"mlperf_vww_mnv1_025", "vww_u8.onnx"},
	{"mlperf_ad_toycar", "ad_u8.onnx"},
	{"mobilenet_v2_pt_quant", ""},
	{"openmv_movenet_singlepose_192", ""},
	{"openmv_face_landmarks_192", ""},
}

// models reads the reference models, or where they are not beside the checkout
// generates others.
func (o *options) models() (models []model, generated bool, err error) {
	if _, err := os.Stat(o.conformance); errors.Is(err, fs.ErrNotExist) {
		return []model{
			{name: "convolutions of 32x32 pixels", file: pyramid().Bytes()},
			{name: "six dense layers", file: dense().Bytes()},
		}, true, nil
	}
	for _, r := range reference {
		m := model{name: r.name}
		if m.file, err = os.ReadFile(filepath.Join(o.conformance, r.name, "model.tflite")); err != nil {
			return nil, false, err
		}
		if path := filepath.Join(o.peerModels, r.peer); r.peer != "" {
			if _, err := os.Stat(path); err == nil {
				m.peer = path
			}
		}
		models = append(models, m)
	}
	return models, false, nil
}

// net strings layers together.
type net struct {
	b    rt.Builder
	last int // tensor
}

func newNet(shape ...int) *net {
	n := &net{}
	n.last = n.tensor(rt.Int8("input", 0.05, -3, shape...))
	n.b.Inputs = []int{n.last}
	return n
}

func (n *net) tensor(t rt.Tensor) int {
	n.b.Tensors = append(n.b.Tensors, t)
	return len(n.b.Tensors) - 1
}

// layer adds an operator with weights of a fixed pattern and a bias.
func (n *net) layer(code tflite.Code, weights []int, channels int, out []int, options ...any) {
	size := 1
	for _, d := range weights {
		size *= d
	}
	pattern := make([]int, size)
	for i := range pattern {
		pattern[i] = (i*37+11)%255 - 127
	}
	w := n.tensor(rt.Weights("weights", 0.002, weights, pattern...))
	bias := n.tensor(rt.Const32("bias", []int{channels}, make([]int, channels)...))
	result := n.tensor(rt.Int8("layer", 0.05, -3, out...))
	n.b.Ops = append(n.b.Ops, rt.Op{Code: code, Inputs: []int{n.last, w, bias}, Outputs: []int{result}, Options: options})
	n.last = result
	n.b.Outputs = []int{result}
}

// pyramid is a network of full, depthwise and pointwise convolutions.
func pyramid() *rt.Builder {
	n := newNet(1, 32, 32, 3)
	n.layer(tflite.Conv2D, []int{16, 3, 3, 3}, 16, []int{1, 32, 32, 16}, byte(0), 1, 1, byte(1))
	size, channels := 32, 16
	for range 3 {
		n.layer(tflite.DepthwiseConv2D, []int{1, 3, 3, channels}, channels, []int{1, size, size, channels}, byte(0), 1, 1, 1, byte(1))
		n.layer(tflite.Conv2D, []int{2 * channels, 1, 1, channels}, 2*channels, []int{1, size, size, 2 * channels}, byte(0), 1, 1, byte(1))
		channels *= 2
		size /= 2
		n.layer(tflite.Conv2D, []int{channels, 3, 3, channels}, channels, []int{1, size, size, channels}, byte(0), 2, 2, byte(1))
	}
	return &n.b
}

// dense is a network of fully connected layers.
func dense() *rt.Builder {
	n := newNet(1, 640)
	in := 640
	for _, out := range []int{128, 128, 8, 128, 128, 640} {
		n.layer(tflite.FullyConnected, []int{out, in}, out, []int{1, out}, byte(1))
		in = out
	}
	return &n.b
}
