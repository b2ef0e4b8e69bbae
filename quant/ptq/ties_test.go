package ptq_test

import (
	"reflect"
	"testing"

	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime/tensor"
)

func TestTies(t *testing.T) {
	n := newNet(t, 9)
	x := n.input(1, 4)
	y := n.op(graph.FullyConnected{}, x, n.random(1, 4, 4), n.random(1, 4))
	z := n.op(graph.Reshape{Shape: tensor.Shape{4, 1}}, y)
	p := n.op(graph.Softmax{Beta: 1}, z)
	g := n.outputs(p)
	got, err := ptq.Ties(g, ptq.Options{})
	if err != nil {
		t.Fatal(err)
	}
	// RESHAPE hands raw values on, clipped to what its own output needs, and SOFTMAX
	// fixes its output.
	if want := [][]graph.TensorID{{x}, {z}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got, err = ptq.Ties(g, ptq.Options{Given: map[graph.TensorID]tensor.Quant{y: {Scales: []float32{1}, ZeroPoints: []int32{0}}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := [][]graph.TensorID{{x}}; !reflect.DeepEqual(got, want) {
		t.Errorf("given: got %v, want %v", got, want)
	}
}
