package op_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// int4Layers are layers with weights of the given shape, filled by the test: odd
// numbers of elements and filters that begin within a byte among them.
func int4Layers(w func(outDim int, shape ...int) rt.Tensor) map[string]*rt.Builder {
	bias := rt.Const32("b", []int{3}, 10, -200, 3000)
	return map[string]*rt.Builder{
		"CONV_2D":           one(tflite.Conv2D, []any{same, 1, 1, relu}, []rt.Tensor{rt.Int8("x", 0.1, 4, 1, 4, 3, 5), w(0, 3, 3, 3, 5), bias}, rt.Int8("y", 0.5, 0, 1, 4, 3, 3)),
		"DEPTHWISE_CONV_2D": one(tflite.DepthwiseConv2D, []any{same, 1, 1, 1, none}, []rt.Tensor{rt.Int8("x", 0.1, 4, 1, 4, 3, 3), w(3, 1, 3, 3, 3), bias}, rt.Int8("y", 0.5, 0, 1, 4, 3, 3)),
		"FULLY_CONNECTED":   one(tflite.FullyConnected, []any{none}, []rt.Tensor{rt.Int8("x", 0.1, 4, 2, 7), w(0, 3, 7), bias}, rt.Int8("y", 0.5, 0, 2, 3)),
		"TRANSPOSE_CONV": one(tflite.TransposeConv, []any{valid, 2, 2, none}, []rt.Tensor{rt.Const32("s", []int{4}, 1, 5, 5, 3), w(0, 3, 3, 3, 1),
			rt.Int8("x", 0.1, 4, 1, 2, 2, 1), bias}, rt.Int8("y", 0.5, 0, 1, 5, 5, 3)),
	}
}

// TestInt4Weights: layers give the bytes that the same numbers in int8 give, with
// one scale, with one for each channel, and from compressed weights.
func TestInt4Weights(t *testing.T) {
	for _, perChannel := range []bool{false, true} {
		for _, compressed := range []bool{false, true} {
			layers := func(typ tensor.Type) map[string]*rt.Builder {
				r := rand.New(rand.NewPCG(61, 62))
				return int4Layers(func(outDim int, shape ...int) rt.Tensor {
					n, _ := tensor.Shape(shape).Elements()
					values := make([]int, n)
					for i := range values {
						values[i] = r.IntN(16) - 8
					}
					clear(values[n/3 : n/2])
					w := rt.Tensor{Name: "w", Type: typ, Shape: shape, Scales: []float32{0.25}, Zeros: []int{0}, Dim: outDim}
					if perChannel {
						w.Scales, w.Zeros = []float32{0.25, 0.5, 0.125}, []int{0, 0, 0}
					}
					if w.Data = rt.Int8s(values...); typ == tensor.Int4 {
						w.Data = rt.Int4s(values...)
					}
					if compressed {
						w = rt.Compress(w, rt.Blocks{CSR: []bool{false, true}})
					}
					return w
				})
			}
			want := layers(tensor.Int8)
			for name, model := range layers(tensor.Int4) {
				in := make([]byte, bytesOf(model.Tensors[model.Inputs[0]]))
				for i := range in {
					in[i] = byte(37*i + 5)
				}
				if got, want := rt.Run(t, model, in), rt.Run(t, want[name], in); !bytes.Equal(got, want) {
					t.Errorf("%s, per channel %v, compressed %v: got %v, want %v", name, perChannel, compressed, got, want)
				}
			}
		}
	}
}

// TestInt4Length: an odd number of elements takes half a byte more, no other
// length is right.
func TestInt4Length(t *testing.T) {
	for _, length := range []int{10, 12, 21} {
		layers := int4Layers(func(_ int, shape ...int) rt.Tensor {
			n, _ := tensor.Shape(shape).Bytes(tensor.Int4)
			return rt.Tensor{Name: "w", Type: tensor.Int4, Shape: shape, Scales: []float32{1}, Zeros: []int{0}, Data: make([]byte, n+length-11)}
		})
		_, err := runtime.Load(layers["FULLY_CONNECTED"].Bytes(), runtime.Options{})
		if err == nil || !strings.Contains(err.Error(), `tensor "w": found `) || !strings.Contains(err.Error(), "want 11 for int4 [3,7]") {
			t.Errorf("%d bytes: got %v, want an error that names tensor and length", length, err)
		}
	}
}
