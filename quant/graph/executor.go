package graph

import "fmt"

// Executor runs a float graph in float32, in the caller's goroutine. It keeps
// its buffers between runs and must not be used by two goroutines at once.
type Executor struct {
	g       *Graph
	values  [][]float32 // by tensor
	packed  [][]float32 // weights in the order that eval wants, by the node's first output
	scratch []float32
}

// packer is an operator whose eval wants its weights in another order than
// TFLite's. pack returns nil where it takes them as they are.
type packer interface {
	pack(w *Tensor) []float32
}

// NewExecutor checks that g (which must have passed Infer) is float throughout,
// but for integers on their way from a Quantize, or from a constant, to a
// Dequantize, which are kept as float32 values, and that its activations fit into
// 4 GiB; otherwise the error matches ErrUnsupported. g must not change while the
// executor is in use.
func NewExecutor(g *Graph) (*Executor, error) {
	if err := g.checkExecutable(); err != nil {
		return nil, err
	}
	e := &Executor{g: g, values: make([][]float32, len(g.Tensors)), packed: make([][]float32, len(g.Tensors))}
	for i := range g.Tensors {
		e.values[i] = g.Tensors[i].numbers()
	}
	if err := e.allocate(); err != nil {
		return nil, err
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if p, ok := n.Op.(packer); ok {
			e.packed[n.Outputs[0]] = p.pack(g.Tensor(n.Inputs[1]))
		}
	}
	return e, nil
}

// scratchSize bounds the scratch of one node to a mebibyte, of which the
// processor's second cache holds most.
const scratchSize = 1 << 18

// scratchRows is how many rows of that many values an operator should take at
// once.
func scratchRows(size int) int { return min(max(scratchSize/size, 1), gemmRows) }

// buffer returns scratch of size values, valid until eval returns.
func (e *Executor) buffer(size int) []float32 {
	if len(e.scratch) < size {
		e.scratch = make([]float32, size)
	}
	return e.scratch[:size]
}

// Run computes the graph once, for inputs of exactly the shapes that the graph
// declares: one sample where the first dimension is 1. inputs holds the values of
// every graph input, in C order. The results, one slice for every graph output,
// are valid until the next Run.
//
// observe, when given, sees every activation (graph inputs included, and the
// integers behind a Quantize) in execution order; it must not keep or change the
// slice.
func (e *Executor) Run(inputs [][]float32, observe func(TensorID, []float32)) ([][]float32, error) {
	if err := e.bind(inputs); err != nil {
		return nil, err
	}
	if observe != nil {
		for _, id := range e.g.Inputs {
			observe(id, e.values[id])
		}
	}
	for i := range e.g.Nodes {
		n := &e.g.Nodes[i]
		n.Op.eval(e, n)
		if observe != nil {
			for _, id := range n.Outputs {
				observe(id, e.values[id])
			}
		}
	}
	outputs := make([][]float32, len(e.g.Outputs))
	for i, id := range e.g.Outputs {
		outputs[i] = e.values[id]
	}
	return outputs, nil
}

// bind points the graph inputs at the caller's values.
func (e *Executor) bind(inputs [][]float32) error {
	if len(inputs) != len(e.g.Inputs) {
		return fmt.Errorf("%w: %d inputs given, the graph has %d", ErrInvalid, len(inputs), len(e.g.Inputs))
	}
	for i, id := range e.g.Inputs {
		size, _ := e.g.Tensor(id).Shape.Elements()
		if len(inputs[i]) != size {
			return fmt.Errorf("%w: input %d has %d values, want %d of shape %v", ErrInvalid, i, len(inputs[i]), size, e.g.Tensor(id).Shape)
		}
		e.values[id] = inputs[i]
	}
	return nil
}
