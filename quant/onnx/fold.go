package onnx

import (
	"fmt"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// fold computes a node whose operands are all constant: the node is imported
// into a graph of its own, with the constants as graph inputs, and executed. So
// constants are computed by the same code as activations.
//
// The executor knows only real numbers. Operators that move elements without
// computing run on the numbers of the elements (their indices) instead, and the
// result says which elements are where: that is exact for integers too.
type fold struct {
	feeds [][]float32
	ints  []int64 // the integer operands, one after the other
	kind  tensor.Type
}

// maxIndex is the last index that a float32 holds exactly.
const maxIndex = 1 << 24

// feed makes a constant an input of the graph that is executed.
func (im *importer) feed(v *value) (graph.TensorID, error) {
	f := im.fold
	data := v.Float
	if !v.isReal() {
		if len(f.ints)+len(v.Int) > maxIndex {
			return graph.None, fmt.Errorf("%w: %d integers to rearrange", graph.ErrUnsupported, len(f.ints)+len(v.Int))
		}
		if err := im.spent.spend(3 * len(v.Int)); err != nil {
			return graph.None, err
		}
		data = make([]float32, len(v.Int))
		for i := range data {
			data[i] = float32(len(f.ints) + i)
		}
		f.ints, f.kind = append(f.ints, v.Int...), v.Type
	}
	f.feeds = append(f.feeds, data)
	id := im.g.AddTensor(graph.Tensor{Shape: v.Shape, Type: tensor.Float32})
	im.g.Inputs = append(im.g.Inputs, id)
	return id, nil
}

// compute is operator for constant operands.
func (im *importer) compute(row operator, n *nodeProto, in []*value) ([]*value, error) {
	sub := newImporter(im.model, im.spent)
	sub.fold = &fold{}
	out, err := sub.build(row, n, in)
	if err != nil {
		return nil, err
	}
	for _, v := range out {
		if v.id != graph.None {
			sub.g.Outputs = append(sub.g.Outputs, v.id)
		}
	}
	if len(sub.g.Outputs) == 0 {
		return out, nil
	}
	if sub.fold.ints != nil && (!row.moves || len(sub.fold.feeds) > 1 && mixed(in)) {
		return nil, fmt.Errorf("%w: on integers", graph.ErrUnsupported)
	}
	results, err := sub.run()
	if err != nil {
		return nil, err
	}
	for i, v := range out {
		if v.id == graph.None {
			continue
		}
		t := &Tensor{Shape: v.Shape, Type: tensor.Float32, Float: results[0]}
		if sub.fold.ints != nil {
			t.Type, t.Int, t.Float = sub.fold.kind, sub.fold.pick(results[0]), nil
		}
		out[i], results = constantValue(t), results[1:]
	}
	return out, nil
}

// mixed reports whether real and integer operands come together.
func mixed(in []*value) bool {
	reals := 0
	for _, v := range in {
		if v != nil && v.isReal() {
			reals++
		}
	}
	return reals > 0
}

// run executes the graph that compute made.
func (im *importer) run() ([][]float32, error) {
	if err := im.g.Infer(); err != nil {
		return nil, err
	}
	for i := range im.g.Tensors {
		size, _ := im.g.Tensors[i].Shape.Elements()
		if err := im.spent.spend(size); err != nil {
			return nil, err
		}
	}
	for i := range im.g.Nodes {
		if err := im.spent.labor(im.products(&im.g.Nodes[i])); err != nil {
			return nil, err
		}
	}
	e, err := graph.NewExecutor(im.g)
	if err != nil {
		return nil, err
	}
	return e.Run(im.fold.feeds, nil)
}

// products is how many multiplications a matrix product takes.
func (im *importer) products(n *graph.Node) int64 {
	depth := 1
	switch n.Op.(type) {
	case graph.FullyConnected:
		depth = im.g.Tensor(n.Inputs[1]).Shape[1]
	case graph.BatchMatMul:
		s := im.g.Tensor(n.Inputs[0]).Shape
		depth = slices.Max(s[len(s)-2:])
	}
	size, _ := im.g.Tensor(n.Outputs[0]).Shape.Elements()
	return int64(size) * int64(depth)
}

// pick gives the integers whose indices the executor put out.
func (f *fold) pick(indices []float32) []int64 {
	out := make([]int64, len(indices))
	for i, x := range indices {
		out[i] = f.ints[int(x)]
	}
	return out
}
