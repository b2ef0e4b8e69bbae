package op_test

import (
	"bytes"
	"testing"

	rt "kedge/runtime/runtimetest"
	"kedge/runtime/tflite"
)

// TestLogical checks what is computed on and by truth values.
func TestLogical(t *testing.T) {
	i8 := rt.Int8s
	for _, c := range []struct {
		name  string
		model *rt.Builder
		in    [][]byte
		want  []byte
	}{
		{"LOGICAL_AND broadcasts", one(tflite.LogicalAnd, nil, []rt.Tensor{bools(2, 1), bools(2)}, bools(2, 2)),
			[][]byte{{0, 1}, {0, 1}}, []byte{0, 0, 0, 1}},
		{"LOGICAL_OR", one(tflite.LogicalOr, nil, []rt.Tensor{bools(4), bools(4)}, bools(4)),
			[][]byte{{0, 0, 1, 1}, {0, 1, 0, 1}}, []byte{0, 1, 1, 1}},
		{"LOGICAL_NOT", one(tflite.LogicalNot, nil, []rt.Tensor{bools(2)}, bools(2)), [][]byte{{0, 1}}, []byte{1, 0}},
		{"REDUCE_ALL", one(tflite.ReduceAll, []any{false}, []rt.Tensor{bools(3, 2), rt.Const32("a", []int{1}, 1)}, bools(3)),
			[][]byte{{1, 1, 1, 0, 0, 0}}, []byte{1, 0, 0}},
		{"REDUCE_ALL keeps the first", one(tflite.ReduceAll, []any{true}, []rt.Tensor{bools(3, 2), rt.Const32("a", []int{1}, 0)}, bools(1, 2)),
			[][]byte{{1, 1, 1, 0, 1, 1}}, []byte{1, 0}},
		{"REDUCE_ALL of nothing", one(tflite.ReduceAll, nil, []rt.Tensor{bools(2, 0), rt.Const32("a", nil, 1)}, bools(2)), [][]byte{{}}, []byte{1, 1}},
		{"SELECT_V2", one(tflite.SelectV2, nil, []rt.Tensor{bools(4), plain(4), plain(4)}, plain(4)),
			[][]byte{{1, 0, 0, 1}, i8(1, 2, 3, 4), i8(5, 6, 7, 8)}, i8(1, 6, 7, 4)},
		{"SELECT_V2 broadcasts all", one(tflite.SelectV2, nil, []rt.Tensor{bools(2, 1, 1), int16s(1, 2, 1), int16s(1, 3)}, int16s(1, 2, 2, 3)),
			[][]byte{{1, 0}, rt.Int16s(100, 200), rt.Int16s(1, 2, 3)}, rt.Int16s(100, 100, 100, 200, 200, 200, 1, 2, 3, 1, 2, 3)},
		{"SELECT_V2 of single elements", one(tflite.SelectV2, nil, []rt.Tensor{bools(1, 1), float32s(), float32s(1)}, float32s()),
			[][]byte{{0}, rt.Float32s(1), rt.Float32s(2)}, rt.Float32s(2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rt.Run(t, c.model, c.in...); !bytes.Equal(got, c.want) {
				t.Errorf("got % x, want % x", got, c.want)
			}
		})
	}
}
