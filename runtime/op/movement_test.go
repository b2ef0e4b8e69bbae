package op_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kedge/runtime"
	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tensor"
	"kedge/runtime/tflite"
)

// several is a model of a single operator with any number of outputs, which a
// CONCATENATION along dimension 0 makes one.
func several(code tflite.Code, options []any, in, out []rt.Tensor, joined rt.Tensor) *rt.Builder {
	b := one(code, options, in, joined)
	last := len(b.Tensors) - 1
	b.Ops[0].Outputs = nil
	for i := range out {
		b.Ops[0].Outputs = append(b.Ops[0].Outputs, last+1+i)
	}
	b.Tensors = append(b.Tensors, out...)
	b.Ops = append(b.Ops, rt.Op{Code: tflite.Concatenation, Options: []any{0}, Inputs: b.Ops[0].Outputs, Outputs: []int{last}})
	return b
}

// plain is an int8 tensor of scale 1.
func plain(shape ...int) rt.Tensor { return rt.Int8("t", 1, 0, shape...) }

func const32(values ...int) rt.Tensor { return rt.Const32("c", []int{len(values)}, values...) }

func const64(values ...int) rt.Tensor {
	c := rt.Tensor{Name: "c", Type: tensor.Int64, Shape: []int{len(values)}}
	for _, v := range values {
		c.Data = append(c.Data, rt.Int32s(v, v>>31)...)
	}
	return c
}

func unquantized(t tensor.Type, shape ...int) rt.Tensor {
	return rt.Tensor{Name: t.String(), Type: t, Shape: shape}
}

// count is the int8 values 0 to n-1.
func count(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// slice is STRIDED_SLICE with masks in the order begin, end, ellipsis, new axis,
// shrink.
func slice(in, out []int, begin, end, step []int, masks ...any) *rt.Builder {
	return one(tflite.StridedSlice, masks, []rt.Tensor{plain(in...), const32(begin...), const32(end...), const32(step...)}, plain(out...))
}

// TestMovement checks operators that only move elements, on numbers small enough
// to follow by hand.
func TestMovement(t *testing.T) {
	i8 := rt.Int8s
	for _, c := range []struct {
		name  string
		model *rt.Builder
		in    [][]byte
		want  []byte
	}{
		{"BROADCAST_ARGS", one(tflite.BroadcastArgs, nil, []rt.Tensor{int32s(2), int32s(3)}, int32s(3)),
			[][]byte{rt.Int32s(1, 5), rt.Int32s(4, 3, 1)}, rt.Int32s(4, 3, 5)},
		{"BROADCAST_ARGS int64, extents that do not fit", one(tflite.BroadcastArgs, nil, []rt.Tensor{int64s(1), const64(7)}, int64s(1)),
			[][]byte{const64(3).Data}, const64(3).Data},
		{"DYNAMIC_UPDATE_SLICE", one(tflite.DynamicUpdateSlice, nil, []rt.Tensor{plain(3, 3), plain(2, 2), int32s(2)}, plain(3, 3)),
			[][]byte{count(9), i8(20, 21, 22, 23), rt.Int32s(0, 1)}, i8(0, 20, 21, 3, 22, 23, 6, 7, 8)},
		{"DYNAMIC_UPDATE_SLICE stays inside", one(tflite.DynamicUpdateSlice, nil, []rt.Tensor{int16s(1, 4), int16s(1, 2), int64s(1)}, int16s(1, 4)),
			[][]byte{rt.Int16s(1, 2, 3, 4), rt.Int16s(50, 60), const64(9).Data}, rt.Int16s(1, 2, 50, 60)},
		{"DYNAMIC_UPDATE_SLICE with nothing", one(tflite.DynamicUpdateSlice, nil, []rt.Tensor{plain(2, 2), plain(0, 2), int32s(2)}, plain(2, 2)),
			[][]byte{count(4), {}, rt.Int32s(-1, 1)}, count(4)},
		{"EMBEDDING_LOOKUP, a row outside", one(tflite.EmbeddingLookup, nil, []rt.Tensor{int32s(3), rt.Int8("rows", 1, 9, 2, 2)}, rt.Int8("y", 1, 9, 3, 2)),
			[][]byte{rt.Int32s(1, 2, 0), count(4)}, i8(2, 3, 9, 9, 0, 1)},
		{"EMBEDDING_LOOKUP to float32", one(tflite.EmbeddingLookup, nil, []rt.Tensor{int32s(2), rt.Int8("rows", 0.5, 0, 2, 2)}, float32s(2, 2)),
			[][]byte{rt.Int32s(1, -1), i8(0, 0, 3, -4)}, rt.Float32s(1.5, -2, 0, 0)},
		{"ZEROS_LIKE", one(tflite.ZerosLike, nil, []rt.Tensor{rt.Int8("x", 1, 9, 2)}, rt.Int8("y", 1, 9, 2)), [][]byte{i8(3, 4)}, i8(0, 0)},
		{"PAD int64 paddings", one(tflite.Pad, nil, []rt.Tensor{plain(1), {Name: "p", Type: tensor.Int64, Shape: []int{1, 2}, Data: const64(1, 0).Data}}, plain(2)),
			[][]byte{i8(5)}, i8(0, 5)},
		{"CONCATENATION, last axis from the end", one(tflite.Concatenation, []any{-1}, []rt.Tensor{plain(2, 1), plain(2, 0), plain(2, 2)}, plain(2, 3)),
			[][]byte{i8(1, 4), {}, i8(2, 3, 5, 6)}, i8(1, 2, 3, 4, 5, 6)},
		{"CONCATENATION int16, any scales", one(tflite.Concatenation, []any{0}, []rt.Tensor{int16s(1, 1), int16s(2, 1)}, int16s(3, 2)),
			[][]byte{rt.Int16s(1000), rt.Int16s(-2000)}, rt.Int16s(1000, -2000)},
		{"CONCATENATION bool", one(tflite.Concatenation, []any{0}, []rt.Tensor{unquantized(tensor.Bool, 1), unquantized(tensor.Bool, 2)}, unquantized(tensor.Bool, 3)),
			[][]byte{i8(1), i8(0, 1)}, i8(1, 0, 1)},
		{"CONCATENATION int64 of one", one(tflite.Concatenation, []any{0}, []rt.Tensor{unquantized(tensor.Int64, 1)}, unquantized(tensor.Int64, 1)),
			[][]byte{count(8)}, count(8)},
		{"CONCATENATION of nothing", one(tflite.Concatenation, []any{1}, []rt.Tensor{plain(1<<20, 0), plain(1<<20, 0)}, plain(1<<20, 0)),
			[][]byte{{}, {}}, nil},
		{"SPLIT, negative axis", several(tflite.Split, []any{2}, []rt.Tensor{const32(-1), plain(2, 4)}, []rt.Tensor{plain(2, 2), plain(2, 2)}, plain(4, 2)),
			[][]byte{count(8)}, i8(0, 1, 4, 5, 2, 3, 6, 7)},
		{"SPLIT_V, one size left open", several(tflite.SplitV, []any{2}, []rt.Tensor{plain(3, 2), const32(1, -1), rt.Const32("a", nil, -2)}, []rt.Tensor{plain(1, 2), plain(2, 2)}, plain(3, 2)),
			[][]byte{count(6)}, count(6)},
		{"PACK in the middle", one(tflite.Pack, []any{2, -2}, []rt.Tensor{plain(2, 2), plain(2, 2)}, plain(2, 2, 2)),
			[][]byte{i8(0, 1, 2, 3), i8(4, 5, 6, 7)}, i8(0, 1, 4, 5, 2, 3, 6, 7)},
		{"PACK scalars", one(tflite.Pack, []any{3}, []rt.Tensor{unquantized(tensor.Int32), unquantized(tensor.Int32), unquantized(tensor.Int32)}, unquantized(tensor.Int32, 3)),
			[][]byte{rt.Int32s(7), rt.Int32s(-8), rt.Int32s(9)}, rt.Int32s(7, -8, 9)},
		{"UNPACK", several(tflite.Unpack, []any{3, 1}, []rt.Tensor{plain(2, 3)}, []rt.Tensor{plain(2), plain(2), plain(2)}, plain(6)),
			[][]byte{count(6)}, i8(0, 3, 1, 4, 2, 5)},
		{"EXPAND_DIMS behind the last", one(tflite.ExpandDims, nil, []rt.Tensor{plain(2, 2), rt.Const32("a", nil, -1)}, plain(2, 2, 1)),
			[][]byte{count(4)}, count(4)},
		{"SQUEEZE all", one(tflite.Squeeze, nil, []rt.Tensor{plain(1, 2, 1)}, plain(2)), [][]byte{count(2)}, count(2)},
		{"SQUEEZE named", one(tflite.Squeeze, []any{[]int{-1}}, []rt.Tensor{plain(1, 2, 1)}, plain(1, 2)), [][]byte{count(2)}, count(2)},
		{"TRANSPOSE", one(tflite.Transpose, nil, []rt.Tensor{plain(2, 3), const32(1, 0)}, plain(3, 2)),
			[][]byte{count(6)}, i8(0, 3, 1, 4, 2, 5)},
		{"TRANSPOSE from the last", one(tflite.Transpose, nil, []rt.Tensor{plain(2, 1, 3), const32(-1, 0, -2)}, plain(3, 2, 1)),
			[][]byte{count(6)}, i8(0, 3, 1, 4, 2, 5)},
		{"TRANSPOSE rank 5, float32", one(tflite.Transpose, nil, []rt.Tensor{float32s(1, 2, 1, 2, 2), const32(0, 3, 2, 4, 1)}, float32s(1, 2, 1, 2, 2)),
			[][]byte{rt.Float32s(0, 1, 2, 3, 4, 5, 6, 7)}, rt.Float32s(0, 4, 1, 5, 2, 6, 3, 7)},
		{"SLICE to the end", one(tflite.Slice, nil, []rt.Tensor{plain(3, 3), const32(1, 1), const32(-1, 1)}, plain(2, 1)),
			[][]byte{count(9)}, i8(4, 7)},
		{"SLICE int64 positions, int16", one(tflite.Slice, nil, []rt.Tensor{int16s(1, 3), const64(1), const64(2)}, int16s(1, 2)),
			[][]byte{rt.Int16s(1, 2, 3)}, rt.Int16s(2, 3)},
		{"SLICE nothing, at the end", one(tflite.Slice, nil, []rt.Tensor{plain(3), const32(3), const32(0)}, plain(0)), [][]byte{count(3)}, nil},
		{"SLICE from a computed begin", one(tflite.Slice, nil, []rt.Tensor{plain(2, 3), unquantized(tensor.Int32, 2), const32(1, 2)}, plain(1, 2)),
			[][]byte{count(6), rt.Int32s(1, 1)}, i8(4, 5)},
		{"SLICE from a computed begin outside", one(tflite.Slice, nil, []rt.Tensor{plain(2, 3), unquantized(tensor.Int64, 2), unquantized(tensor.Int32, 2)}, plain(1, 2)),
			[][]byte{count(6), rt.Int32s(-1, -1, 0, 1), rt.Int32s(1, 2)}, i8(1, 2)},
		{"STRIDED_SLICE backward by two", slice([]int{2, 5}, []int{1, 3}, []int{-1, -1}, []int{5, -6}, []int{1, -2}),
			[][]byte{count(10)}, i8(9, 7, 5)},
		{"STRIDED_SLICE beyond the edges", slice([]int{4}, []int{4}, []int{-9}, []int{9}, []int{1}), [][]byte{count(4)}, count(4)},
		{"STRIDED_SLICE empty", slice([]int{4}, []int{0}, []int{3}, []int{1}, []int{1}), [][]byte{count(4)}, nil},
		{"STRIDED_SLICE begin and end masks", slice([]int{3, 3}, []int{2, 3}, []int{2, 2}, []int{2, 0}, []int{2, -1}, 3, 3),
			[][]byte{count(9)}, i8(2, 1, 0, 8, 7, 6)},
		{"STRIDED_SLICE shrinks", slice([]int{2, 3}, []int{2}, []int{0, -2}, []int{2, 0}, []int{1, 1}, 0, 0, 0, 0, 2),
			[][]byte{count(6)}, i8(1, 4)},
		{"STRIDED_SLICE ellipsis", slice([]int{2, 2, 3}, []int{2, 2, 1}, []int{0, 1}, []int{0, 2}, []int{1, 1}, 0, 0, 1),
			[][]byte{count(12)}, i8(1, 4, 7, 10)},
		{"STRIDED_SLICE ellipsis for no dimension", slice([]int{3}, []int{1}, []int{0, 1}, []int{0, 2}, []int{1, 1}, 0, 0, 1),
			[][]byte{count(3)}, i8(1)},
		{"STRIDED_SLICE new axis, rest implied", slice([]int{2, 2}, []int{1, 1, 2}, []int{0, 1}, []int{0, 2}, []int{1, 1}, 0, 0, 0, 1),
			[][]byte{count(4)}, i8(2, 3)},
		{"STRIDED_SLICE huge stride", slice([]int{3}, []int{1}, []int{1}, []int{3}, []int{1<<31 - 1}), [][]byte{count(3)}, i8(1)},
		{"GATHER rows", one(tflite.Gather, []any{0}, []rt.Tensor{plain(3, 2), const32(2, 0, 2)}, plain(3, 2)),
			[][]byte{count(6)}, i8(4, 5, 0, 1, 4, 5)},
		{"GATHER in batches, scalar position each", one(tflite.Gather, []any{1, 1}, []rt.Tensor{plain(2, 3), const32(2, 0)}, plain(2)),
			[][]byte{count(6)}, i8(2, 3)},
		{"GATHER, negative axis and batch dimensions", one(tflite.Gather, []any{-1, -1}, []rt.Tensor{plain(2, 3), rt.Const32("c", []int{2, 2}, 0, 1, 1, 2)}, plain(2, 2)),
			[][]byte{count(6)}, i8(0, 1, 4, 5)},
		{"GATHER outside", one(tflite.Gather, []any{0}, []rt.Tensor{rt.Int8("x", 1, 9, 2, 2), unquantized(tensor.Int32, 3)}, rt.Int8("y", 1, 9, 3, 2)),
			[][]byte{count(4), rt.Int32s(-1, 1, 2)}, i8(9, 9, 2, 3, 9, 9)},
		{"BROADCAST_TO", one(tflite.BroadcastTo, nil, []rt.Tensor{plain(2, 1), const32(2, 2, 3)}, plain(2, 2, 3)),
			[][]byte{i8(1, 2)}, i8(1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2)},
		{"BROADCAST_TO a scalar, int64 shape", one(tflite.BroadcastTo, nil, []rt.Tensor{float32s(), const64(2)}, float32s(2)),
			[][]byte{rt.Float32s(3)}, rt.Float32s(3, 3)},
		{"REVERSE_V2", one(tflite.ReverseV2, nil, []rt.Tensor{plain(2, 2, 2), const32(-1, 1)}, plain(2, 2, 2)),
			[][]byte{count(8)}, i8(3, 2, 1, 0, 7, 6, 5, 4)},
		{"REVERSE_V2 outer, int32", one(tflite.ReverseV2, nil, []rt.Tensor{unquantized(tensor.Int32, 3), const32(0)}, unquantized(tensor.Int32, 3)),
			[][]byte{rt.Int32s(1, 2, 3)}, rt.Int32s(3, 2, 1)},
		{"GATHER_ND slices", one(tflite.GatherND, nil, []rt.Tensor{plain(2, 2, 2), rt.Const32("i", []int{2, 2}, 1, 0, 0, 1)}, plain(2, 2)),
			[][]byte{count(8)}, i8(4, 5, 2, 3)},
		{"GATHER_ND with no index takes all", one(tflite.GatherND, nil, []rt.Tensor{plain(2), unquantized(tensor.Int32, 2, 0)}, plain(2, 2)),
			[][]byte{count(2), {}}, i8(0, 1, 0, 1)},
		{"GATHER_ND outside", one(tflite.GatherND, nil, []rt.Tensor{rt.Int8("x", 1, 9, 2, 2), unquantized(tensor.Int32, 2, 2)}, rt.Int8("y", 1, 9, 2)),
			[][]byte{count(4), rt.Int32s(1, -1, 2, 0)}, i8(1, 9)},
		{"FILL", one(tflite.Fill, nil, []rt.Tensor{const64(2, 2), unquantized(tensor.Int32)}, unquantized(tensor.Int32, 2, 2)),
			[][]byte{rt.Int32s(-7)}, rt.Int32s(-7, -7, -7, -7)},
		{"SHAPE", one(tflite.Shape, nil, []rt.Tensor{plain(2, 0, 5)}, unquantized(tensor.Int32, 3)), [][]byte{{}}, rt.Int32s(2, 0, 5)},
		{"PAD uint8 writes the zero point", one(tflite.Pad, nil, []rt.Tensor{typed(tensor.Uint8, 1, 7, 1), const32(1, 0)}, typed(tensor.Uint8, 1, 7, 2)),
			[][]byte{{200}}, []byte{7, 200}},
		{"PADV2", one(tflite.PadV2, nil, []rt.Tensor{plain(1, 2), const32(1, 0, 0, 1), rt.Weights("v", 1, []int{1}, -5)}, plain(2, 3)),
			[][]byte{i8(1, 2)}, i8(-5, -5, -5, 1, 2, -5)},
		{"PADV2, computed value, int32", one(tflite.PadV2, nil, []rt.Tensor{unquantized(tensor.Int32, 1), const32(1, 1), unquantized(tensor.Int32)}, unquantized(tensor.Int32, 3)),
			[][]byte{rt.Int32s(1), rt.Int32s(70000)}, rt.Int32s(70000, 1, 70000)},
		{"MIRROR_PAD reflect", one(tflite.MirrorPad, []any{byte(0)}, []rt.Tensor{plain(1, 3), const32(0, 0, 2, 2)}, plain(1, 7)),
			[][]byte{i8(1, 2, 3)}, i8(3, 2, 1, 2, 3, 2, 1)},
		{"MIRROR_PAD symmetric, int64 paddings", one(tflite.MirrorPad, []any{byte(1)}, []rt.Tensor{plain(2, 2), const64(1, 0, 0, 2)}, plain(3, 4)),
			[][]byte{i8(1, 2, 3, 4)}, i8(1, 2, 2, 1, 1, 2, 2, 1, 3, 4, 4, 3)},
		{"MIRROR_PAD behind farther than there is, float32", one(tflite.MirrorPad, []any{byte(0)}, []rt.Tensor{float32s(2), const32(0, 3)}, float32s(5)),
			[][]byte{rt.Float32s(1, 2)}, rt.Float32s(1, 2, 1, 1, 1)},
		{"SPACE_TO_BATCH_ND pads with 0", one(tflite.SpaceToBatchND, nil, []rt.Tensor{rt.Int8("x", 1, 9, 1, 2, 3, 1), const32(2, 2), const32(0, 0, 1, 0)}, rt.Int8("y", 1, 9, 4, 1, 2, 1)),
			[][]byte{i8(1, 2, 3, 4, 5, 6)}, i8(0, 2, 1, 3, 0, 5, 4, 6)},
		{"SPACE_TO_BATCH_ND of 3 dimensions, two images", one(tflite.SpaceToBatchND, nil, []rt.Tensor{plain(2, 2, 2), const32(2), const32(0, 0)}, plain(4, 1, 2)),
			[][]byte{i8(1, 2, 3, 4, 5, 6, 7, 8)}, i8(1, 2, 5, 6, 3, 4, 7, 8)},
		{"BATCH_TO_SPACE_ND crops", one(tflite.BatchToSpaceND, nil, []rt.Tensor{plain(4, 1, 2, 1), const32(2, 2), const32(0, 1, 1, 0)}, plain(1, 1, 3, 1)),
			[][]byte{i8(0, 2, 1, 3, 0, 5, 4, 6)}, i8(1, 2, 3)},
		{"SPACE_TO_DEPTH", one(tflite.SpaceToDepth, []any{2}, []rt.Tensor{plain(1, 2, 4, 1)}, plain(1, 1, 2, 4)),
			[][]byte{count(8)}, i8(0, 1, 4, 5, 2, 3, 6, 7)},
		{"DEPTH_TO_SPACE", one(tflite.DepthToSpace, []any{2}, []rt.Tensor{plain(1, 1, 2, 4)}, plain(1, 2, 4, 1)),
			[][]byte{i8(0, 1, 4, 5, 2, 3, 6, 7)}, count(8)},
		{"RESIZE_NEAREST_NEIGHBOR", one(tflite.ResizeNearestNeighbor, nil, []rt.Tensor{int16s(1, 1, 1, 2, 1), const32(2, 3)}, int16s(1, 1, 2, 3, 1)),
			[][]byte{rt.Int16s(1, 2)}, rt.Int16s(1, 1, 2, 1, 1, 2)},
		{"RESIZE_NEAREST_NEIGHBOR aligned rounds away", one(tflite.ResizeNearestNeighbor, []any{true}, []rt.Tensor{plain(1, 1, 2, 1), const32(1, 3)}, plain(1, 1, 3, 1)),
			[][]byte{i8(1, 2)}, i8(1, 2, 2)},
		{"RESIZE_NEAREST_NEIGHBOR half pixel, down", one(tflite.ResizeNearestNeighbor, []any{false, true}, []rt.Tensor{plain(1, 1, 4, 1), const32(1, 2)}, plain(1, 1, 2, 1)),
			[][]byte{count(4)}, i8(1, 3)},
		{"RESIZE_BILINEAR rounds half away", one(tflite.ResizeBilinear, nil, []rt.Tensor{plain(1, 1, 2, 2), const32(1, 4)}, plain(1, 1, 4, 2)),
			[][]byte{i8(1, -1, 2, -2)}, i8(1, -1, 2, -2, 2, -2, 2, -2)},
		{"RESIZE_BILINEAR aligned", one(tflite.ResizeBilinear, []any{nil, nil, true}, []rt.Tensor{plain(1, 2, 2, 1), const32(3, 3)}, plain(1, 3, 3, 1)),
			[][]byte{i8(0, 10, 20, 30)}, i8(0, 5, 10, 10, 15, 20, 20, 25, 30)},
		{"RESIZE_BILINEAR half pixel", one(tflite.ResizeBilinear, []any{nil, nil, false, true}, []rt.Tensor{plain(1, 1, 2, 1), const32(1, 4)}, plain(1, 1, 4, 1)),
			[][]byte{i8(0, 100)}, i8(0, 25, 75, 100)},
		{"RESIZE_BILINEAR behind the input", one(tflite.ResizeBilinear, nil, []rt.Tensor{plain(1, 1, 1, 1), const32(1, 1500)}, plain(1, 1, 1500, 1)),
			[][]byte{i8(5)}, bytes.Repeat(i8(5), 1500)},
		{"RESIZE_BILINEAR float32", one(tflite.ResizeBilinear, nil, []rt.Tensor{float32s(1, 1, 2, 1), const32(1, 4)}, float32s(1, 1, 4, 1)),
			[][]byte{rt.Float32s(1, 2)}, rt.Float32s(1, 1.5, 2, 2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rt.Run(t, c.model, c.in...); !bytes.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestMovementRefusals checks what is refused at load.
func TestMovementRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		model *rt.Builder
		kind  error
		want  string
	}{
		{"concatenation requantizes", one(tflite.Concatenation, []any{0}, []rt.Tensor{plain(1), rt.Int8("x", 2, 0, 1)}, plain(2)), runtime.ErrUnsupported, `tensor "x": found scale 2, zero point 0, want the output's 1, 0`},
		{"concatenation activation", one(tflite.Concatenation, []any{0, relu}, []rt.Tensor{plain(1)}, plain(1)), runtime.ErrUnsupported, "fused activation 1"},
		{"concatenation shapes", one(tflite.Concatenation, []any{0}, []rt.Tensor{plain(1, 2), plain(1, 3)}, plain(2, 2)), runtime.ErrInvalid, "found shape [1,3], want [2,2] but for dimension 0"},
		{"concatenation sum", one(tflite.Concatenation, []any{0}, []rt.Tensor{plain(1), plain(1)}, plain(3)), runtime.ErrInvalid, "found shape [3], want 2 in dimension 0"},
		{"concatenation axis", one(tflite.Concatenation, []any{1}, []rt.Tensor{plain(1)}, plain(1)), runtime.ErrInvalid, "axis 1"},
		{"concatenation int16 zero point", one(tflite.Concatenation, []any{0}, []rt.Tensor{typed(tensor.Int16, 1, 3, 1)}, int16s(1, 1)), runtime.ErrUnsupported, "zero point 3"},
		{"concatenation of float16", one(tflite.Concatenation, []any{0}, []rt.Tensor{unquantized(tensor.Float16, 1)}, unquantized(tensor.Float16, 1)), runtime.ErrUnsupported, "found float16"},
		{"computed split axis", one(tflite.Split, []any{1}, []rt.Tensor{unquantized(tensor.Int32), plain(2)}, plain(2)), runtime.ErrUnsupported, "a computed tensor"},
		{"split count", one(tflite.Split, []any{2}, []rt.Tensor{const32(0), plain(2)}, plain(2)), runtime.ErrInvalid, "found 1 outputs, want 2"},
		{"split_v sizes", one(tflite.SplitV, nil, []rt.Tensor{plain(2), const32(1), const32(0)}, plain(2)), runtime.ErrInvalid, "want 1 in dimension 0"},
		{"pack count", one(tflite.Pack, []any{1}, []rt.Tensor{plain(2), plain(2)}, plain(2, 2)), runtime.ErrInvalid, "found 2 inputs, want 1"},
		{"unpack shape", one(tflite.Unpack, []any{1}, []rt.Tensor{plain(1, 2)}, plain(3)), runtime.ErrInvalid, "found shape [3], want [2]"},
		{"squeeze a real dimension", one(tflite.Squeeze, []any{[]int{1}}, []rt.Tensor{plain(1, 2)}, plain(1)), runtime.ErrInvalid, "want 1 in dimension 1"},
		{"expand_dims axis", one(tflite.ExpandDims, nil, []rt.Tensor{plain(2), const32(2)}, plain(2, 1)), runtime.ErrInvalid, "axis 2"},
		{"transpose before the first", one(tflite.Transpose, nil, []rt.Tensor{plain(2, 2), const32(-3, 0)}, plain(2, 2)), runtime.ErrInvalid, "permutation [-3 0]"},
		{"transpose twice the same, from the last", one(tflite.Transpose, nil, []rt.Tensor{plain(2, 2), const32(1, -1)}, plain(2, 2)), runtime.ErrInvalid, "permutation [1 -1]"},
		{"transpose twice the same", one(tflite.Transpose, nil, []rt.Tensor{plain(2, 2), const32(0, 0)}, plain(2, 2)), runtime.ErrInvalid, "permutation [0 0]"},
		{"slice beyond", one(tflite.Slice, nil, []rt.Tensor{plain(3), const32(2), const32(2)}, plain(2)), runtime.ErrInvalid, "2 elements from 2"},
		{"slice position beyond 32 bits", one(tflite.Slice, nil, []rt.Tensor{plain(3), {Name: "b", Type: tensor.Int64, Shape: []int{1}, Data: rt.Int32s(0, 1)}, const64(1)}, plain(1)), runtime.ErrInvalid, "from 4294967296"},
		{"slice computed, too large", one(tflite.Slice, nil, []rt.Tensor{plain(3), unquantized(tensor.Int32, 1), const32(-1)}, plain(4)), runtime.ErrInvalid, "4 elements from 0"},
		{"stride 0", slice([]int{2}, []int{2}, []int{0}, []int{2}, []int{0}), runtime.ErrInvalid, "stride 0"},
		{"shrink beyond", slice([]int{2}, nil, []int{2}, []int{3}, []int{1}, 0, 0, 0, 0, 1), runtime.ErrInvalid, "position 2"},
		{"two ellipses", slice([]int{2}, []int{2}, []int{0, 0}, []int{0, 0}, []int{1, 1}, 0, 0, 3), runtime.ErrInvalid, "ellipsis mask 11"},
		{"more positions than dimensions", slice([]int{2}, []int{2}, []int{0, 0}, []int{2, 2}, []int{1, 1}), runtime.ErrInvalid, "found 2 values, want at most 1"},
		{"relative ends", slice([]int{2}, []int{2}, []int{0}, []int{2}, []int{1}, 0, 0, 0, 0, 0, true), runtime.ErrUnsupported, "ends relative to begins"},
		{"gather outside", one(tflite.Gather, []any{0}, []rt.Tensor{plain(3), const32(3)}, plain(1)), runtime.ErrInvalid, "position 3, want one of 3"},
		{"gather int64 positions", one(tflite.Gather, []any{0}, []rt.Tensor{plain(3), const64(1)}, plain(1)), runtime.ErrUnsupported, "found int64, want int32"},
		{"gather batches", one(tflite.Gather, []any{0, 1}, []rt.Tensor{plain(3), const32(1, 1, 1)}, plain(3)), runtime.ErrInvalid, "1 batch dimensions"},
		{"broadcast_to another shape", one(tflite.BroadcastTo, nil, []rt.Tensor{plain(2), const32(3)}, plain(3)), runtime.ErrInvalid, "one that broadcasts to [3]"},
		{"reverse apart", one(tflite.ReverseV2, nil, []rt.Tensor{plain(2, 2, 2), const32(0, 2)}, plain(2, 2, 2)), runtime.ErrUnsupported, "axes [0 2]"},
		{"reverse twice", one(tflite.ReverseV2, nil, []rt.Tensor{plain(2, 2), const32(0, 0)}, plain(2, 2)), runtime.ErrUnsupported, "axes [0 0]"},
		{"reverse apart and twice", one(tflite.ReverseV2, nil, []rt.Tensor{plain(2, 2, 2), const32(0, 2, 2)}, plain(2, 2, 2)), runtime.ErrUnsupported, "axes [0 2 2]"},
		{"gather_nd outside", one(tflite.GatherND, nil, []rt.Tensor{plain(2, 2), rt.Const32("i", []int{1, 2}, 1, 2)}, plain(1)), runtime.ErrInvalid, "indices [1 2], want a part of [2,2]"},
		{"gather_nd too deep", one(tflite.GatherND, nil, []rt.Tensor{plain(2), rt.Const32("i", []int{1, 2}, 0, 0)}, plain(1)), runtime.ErrInvalid, "2 indices, want at most 1"},
		{"fill shape", one(tflite.Fill, nil, []rt.Tensor{const32(3), unquantized(tensor.Int32)}, unquantized(tensor.Int32, 2)), runtime.ErrInvalid, "found shape [2], want [3]"},
		{"fill with a vector", one(tflite.Fill, nil, []rt.Tensor{const32(3), unquantized(tensor.Int32, 1)}, unquantized(tensor.Int32, 3)), runtime.ErrUnsupported, "want 0 dimensions"},
		{"shape int64", one(tflite.Shape, nil, []rt.Tensor{plain(1)}, unquantized(tensor.Int64, 1)), runtime.ErrUnsupported, "found int64, want int32"},
		{"padv2 value's quantization", one(tflite.PadV2, nil, []rt.Tensor{plain(1), const32(1, 1), rt.Weights("v", 2, []int{1}, 1)}, plain(3)), runtime.ErrUnsupported, "scale 2, zero point 0, want the output's 1, 0"},
		{"padv2 two values", one(tflite.PadV2, nil, []rt.Tensor{plain(1), const32(1, 1), rt.Weights("v", 1, []int{2}, 1, 1)}, plain(3)), runtime.ErrInvalid, "want one element"},
		{"pad beyond 31 bits", one(tflite.MirrorPad, []any{byte(1)}, []rt.Tensor{plain(1), const32(1<<31-1, 1<<31-1)}, plain(3)), runtime.ErrInvalid, "beyond 2^31"},
		{"mirror_pad before farther than there is", one(tflite.MirrorPad, []any{byte(0)}, []rt.Tensor{plain(2), const32(2, 0)}, plain(4)), runtime.ErrInvalid, "what [2] has to mirror"},
		{"mirror_pad mode", one(tflite.MirrorPad, []any{byte(2)}, []rt.Tensor{plain(2), const32(1, 0)}, plain(3)), runtime.ErrInvalid, "mode 2"},
		{"mirror_pad nothing", one(tflite.MirrorPad, []any{byte(1)}, []rt.Tensor{plain(0), const32(0, 1)}, plain(1)), runtime.ErrInvalid, "what [0] has to mirror"},
		{"space_to_batch_nd rank", one(tflite.SpaceToBatchND, nil, []rt.Tensor{plain(1, 2), const32(), const32()}, plain(1, 2)), runtime.ErrUnsupported, "3 or 4 dimensions"},
		{"space_to_batch_nd block", one(tflite.SpaceToBatchND, nil, []rt.Tensor{plain(1, 3, 1), const32(2), const32(0, 0)}, plain(2, 1, 1)), runtime.ErrInvalid, "block [2], want one that divides 3"},
		{"space_to_batch_nd no block", one(tflite.SpaceToBatchND, nil, []rt.Tensor{plain(1, 3, 1), const32(0), const32(0, 0)}, plain(2, 1, 1)), runtime.ErrInvalid, "block [0]"},
		{"space_to_batch_nd huge blocks", one(tflite.SpaceToBatchND, nil, []rt.Tensor{plain(0, 0, 0, 1), const32(1<<30, 1<<30), const32(0, 0, 0, 0)}, plain(0, 0, 0, 1)), runtime.ErrInvalid, "0 images"},
		{"batch_to_space_nd batches", one(tflite.BatchToSpaceND, nil, []rt.Tensor{plain(3, 1, 1), const32(2), const32(0, 0)}, plain(1, 2, 1)), runtime.ErrInvalid, "found shape [3,1,1], want 1 images"},
		{"space_to_depth size", one(tflite.SpaceToDepth, []any{2}, []rt.Tensor{plain(1, 3, 2, 1)}, plain(1, 1, 1, 4)), runtime.ErrInvalid, "in blocks of 2"},
		{"depth_to_space channels", one(tflite.DepthToSpace, []any{2}, []rt.Tensor{plain(1, 1, 1, 6)}, plain(1, 2, 2, 1)), runtime.ErrInvalid, "in blocks of 2"},
		{"depth_to_space no block", one(tflite.DepthToSpace, nil, []rt.Tensor{plain(1, 1, 1, 4)}, plain(1, 2, 2, 1)), runtime.ErrInvalid, "block size 0"},
		{"resize to another shape", one(tflite.ResizeNearestNeighbor, nil, []rt.Tensor{plain(1, 1, 1, 1), const32(1, 2)}, plain(1, 1, 3, 1)), runtime.ErrInvalid, "found shape [1,1,3,1], want [1,1,2,1]"},
		{"resize nothing", one(tflite.ResizeNearestNeighbor, nil, []rt.Tensor{plain(1, 0, 1, 1), const32(1, 1)}, plain(1, 1, 1, 1)), runtime.ErrInvalid, "above 0"},
		{"resize both ways", one(tflite.ResizeBilinear, []any{nil, nil, true, true}, []rt.Tensor{plain(1, 1, 1, 1), const32(1, 1)}, plain(1, 1, 1, 1)), runtime.ErrInvalid, "half-pixel"},
		{"resize int16", one(tflite.ResizeBilinear, nil, []rt.Tensor{int16s(1, 1, 1, 1, 1), const32(1, 1)}, int16s(1, 1, 1, 1, 1)), runtime.ErrUnsupported, "want int8 or uint8 or float32"},
		{"resize beyond 32 bits", one(tflite.ResizeBilinear, nil, []rt.Tensor{plain(1, 1, 1<<21, 1), const32(1, 1)}, plain(1, 1, 1, 1)), runtime.ErrUnsupported, "below 2^21"},
		{"select_v2 shapes", one(tflite.SelectV2, nil, []rt.Tensor{bools(2), plain(3), plain(3)}, plain(3)), runtime.ErrInvalid, "one that broadcasts to [3]"},
		{"select_v2 output", one(tflite.SelectV2, nil, []rt.Tensor{bools(1), plain(1), plain(1)}, plain(3)), runtime.ErrInvalid, "found shape [3], want [1]"},
		{"select_v2 rank", one(tflite.SelectV2, nil, []rt.Tensor{bools(1, 2), plain(2), plain(2)}, plain(2)), runtime.ErrInvalid, "at most 1 dimensions"},
		{"select_v2 types", one(tflite.SelectV2, nil, []rt.Tensor{bools(2), plain(2), int16s(1, 2)}, plain(2)), runtime.ErrUnsupported, "found int16, want int8"},
		{"broadcast_args rank", one(tflite.BroadcastArgs, nil, []rt.Tensor{int32s(), int32s(1)}, int32s(1)), runtime.ErrUnsupported, "want 1 dimensions"},
		{"broadcast_args output", one(tflite.BroadcastArgs, nil, []rt.Tensor{int32s(2), int32s(1)}, int32s(3)), runtime.ErrInvalid, "found shape [3], want [2]"},
		{"dynamic_update_slice too large", one(tflite.DynamicUpdateSlice, nil, []rt.Tensor{plain(2), plain(3), int32s(1)}, plain(2)), runtime.ErrInvalid, "a part of [2]"},
		{"dynamic_update_slice scalar", one(tflite.DynamicUpdateSlice, nil, []rt.Tensor{plain(), plain(), int32s(0)}, plain()), runtime.ErrInvalid, "a scalar"},
		{"embedding_lookup constant outside", one(tflite.EmbeddingLookup, nil, []rt.Tensor{const32(2), plain(2, 2)}, plain(1, 2)), runtime.ErrInvalid, "position 2"},
		{"embedding_lookup zero point", one(tflite.EmbeddingLookup, nil, []rt.Tensor{int32s(1), rt.Int8("rows", 1, 3, 2, 2)}, float32s(1, 2)), runtime.ErrUnsupported, "zero point 3"},
		{"zeros_like shape", one(tflite.ZerosLike, nil, []rt.Tensor{plain(2)}, plain(1)), runtime.ErrInvalid, "found shape [1], want [2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := runtime.Load(c.model.Bytes(), runtime.Options{})
			if !errors.Is(err, c.kind) || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v, want %v and %q", err, c.kind, c.want)
			}
		})
	}
}
