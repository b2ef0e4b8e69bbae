package ptq_test

import (
	"errors"
	"reflect"
	"testing"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime/tensor"
)

// pair puts QUANTIZE and DEQUANTIZE behind a tensor.
func (n *net) pair(id graph.TensorID, q tensor.Quant, to tensor.Type) graph.TensorID {
	mid := n.g.AddTensor(graph.Tensor{Name: "integers", Type: to})
	out := n.g.AddTensor(graph.Tensor{Name: "dequantized"})
	n.g.AddNode(graph.Quantize{To: to, Quant: q}, one(id), one(mid))
	n.g.AddNode(graph.Dequantize{Quant: q}, one(mid), one(out))
	return out
}

func TestFoldQDQ(t *testing.T) {
	n := newNet(t, 1)
	x := n.input(1, 3)
	stored := n.g.AddTensor(graph.Tensor{Name: "stored", Shape: tensor.Shape{2, 3}, Type: tensor.Int8, Int8: []int8{100, 50, 3, -20, 4, 1}})
	w := n.g.AddTensor(graph.Tensor{Name: "w"})
	scales := tensor.Quant{Scales: []float32{0.5, 0.25}, ZeroPoints: []int32{0, 0}}
	n.g.AddNode(graph.Dequantize{Quant: scales}, one(stored), one(w))
	in := n.pair(x, quant(0.5, 118), tensor.Uint8)
	y := name(n.g, n.op(graph.FullyConnected{}, in, w, n.values([]float32{10, 20}, 2)), "y")
	out := name(n.g, n.pair(y, quant(2, -3), tensor.Int8), "answer")
	n.g.Outputs = one(out)

	f, err := ptq.FoldQDQ(n.g)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(f), []string{"FULLY_CONNECTED"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if got, want := f.Tensor(w).Float, []float32{50, 25, 1.5, -5, 1, 0.25}; !reflect.DeepEqual(got, want) {
		t.Errorf("weights: got %v, want %v", got, want)
	}
	if f.Outputs[0] != y || f.Tensor(y).Name != "answer" {
		t.Errorf("the output is tensor %d %q, want %d \"answer\"", f.Outputs[0], f.Tensor(f.Outputs[0]).Name, y)
	}
	f.Compact()
	q, err := ptq.Quantize(f, calib.Ranges{}, ptq.Options{})
	if err != nil {
		t.Fatal(err)
	}
	node := q.Nodes[0]
	for i, want := range []tensor.Quant{quant(0.5, -10), scales, {Scales: []float32{0.25, 0.125}, ZeroPoints: []int32{0, 0}}} {
		if got := q.Tensor(node.Inputs[i]).Quant; !reflect.DeepEqual(got, want) {
			t.Errorf("operand %d: got %v, want %v", i, got, want)
		}
	}
	if got := q.Tensor(node.Outputs[0]).Quant; !reflect.DeepEqual(got, quant(2, -3)) {
		t.Errorf("output: got %v, want 2, -3", got)
	}
	if got, want := q.Tensor(node.Inputs[1]).Int8, []int8{100, 50, 3, -20, 4, 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("the model's own weights came back as %v, want %v", got, want)
	}
	if got, want := q.Tensor(node.Inputs[2]).Int32, []int32{40, 160}; !reflect.DeepEqual(got, want) {
		t.Errorf("bias: got %v, want %v", got, want)
	}
}

func TestFoldQDQRefuses(t *testing.T) {
	n := newNet(t, 1)
	mid := n.g.AddTensor(graph.Tensor{Name: "integers", Type: tensor.Int8})
	n.g.AddNode(graph.Quantize{To: tensor.Int8, Quant: quant(1, 0)}, one(n.input(1, 3)), one(mid))
	back := n.g.AddTensor(graph.Tensor{Name: "back"})
	n.g.AddNode(graph.Dequantize{Quant: quant(2, 0)}, one(mid), one(back))
	if _, err := ptq.FoldQDQ(n.outputs(back)); !errors.Is(err, ptq.ErrUnsupported) {
		t.Errorf("two scales: got %v, want %v", err, ptq.ErrUnsupported)
	}
	n.g.Nodes = n.g.Nodes[:1]
	moved := n.g.AddTensor(graph.Tensor{Name: "moved", Type: tensor.Int8})
	n.g.AddNode(graph.Reshape{Shape: tensor.Shape{3}}, one(mid), one(moved))
	if _, err := ptq.FoldQDQ(n.outputs(moved)); !errors.Is(err, ptq.ErrUnsupported) {
		t.Errorf("integers in use: got %v, want %v", err, ptq.ErrUnsupported)
	}
}

func TestLike(t *testing.T) {
	build := func() (*net, *graph.Graph) {
		n := newNet(t, 1)
		h := name(n.g, n.op(graph.FullyConnected{}, n.input(1, 3), n.random(1, 4, 3)), "h")
		return n, n.outputs(name(n.g, n.op(graph.Softmax{Beta: 1}, h), "p"))
	}
	_, g := build()
	ranges := map[string]calib.Range{"input": {Max: 51}, "h": {Min: -51}, "p": {Max: 1}}
	model := must(t, g, ranges, ptq.Options{FloatInput: true})
	for i := range model.Tensors {
		model.Tensors[i].Name = "" // by order alone
	}
	want := map[graph.TensorID]tensor.Quant{0: quant(0.2, -128), 2: quant(0.2, 127), 3: quant(1.0/256, -128)}
	if got, err := ptq.Like(g, model); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("by order: got %v, %v, want %v", got, err, want)
	}
	n, _ := build()
	shorter := n.outputs(2)
	shorter.Nodes = shorter.Nodes[:1]
	delete(want, 3)
	if got, err := ptq.Like(shorter, must(t, g, ranges, ptq.Options{})); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("by name: got %v, %v, want %v", got, err, want)
	}
	o := newNet(t, 1)
	other := o.outputs(name(o.g, o.op(graph.FullyConnected{}, o.input(1, 5), o.random(1, 7, 5)), "h"))
	if _, err := ptq.Like(other, must(t, g, ranges, ptq.Options{})); !errors.Is(err, ptq.ErrOptions) {
		t.Errorf("another network's tensors of the same names: got %v, want %v", err, ptq.ErrOptions)
	}
	if _, err := ptq.Like(shorter, model); !errors.Is(err, ptq.ErrOptions) {
		t.Errorf("nothing in common: got %v, want %v", err, ptq.ErrOptions)
	}
}
