package pass

import (
	"fmt"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// editor rewrites a graph in place. Indices of nodes and tensors stay as they
// are until finish: new ones are appended, and a removed node keeps its place
// with a nil Op. So a pass may walk over g.Nodes while it changes them.
type editor struct {
	g        *graph.Graph
	producer []int   // by tensor: the node that makes it, or -1
	readers  [][]int // by tensor: the nodes that read it, once for every operand
	output   []bool  // by tensor: is a graph output
	steps    []string
}

func newEditor(g *graph.Graph) *editor {
	e := &editor{g: g, producer: g.Producers(), readers: make([][]int, len(g.Tensors)), output: make([]bool, len(g.Tensors))}
	for i := range g.Nodes {
		for _, id := range g.Nodes[i].Inputs {
			if id != graph.None {
				e.readers[id] = append(e.readers[id], i)
			}
		}
	}
	for _, id := range g.Outputs {
		e.output[id] = true
	}
	return e
}

// note records a step.
func (e *editor) note(format string, args ...any) {
	e.steps = append(e.steps, fmt.Sprintf(format, args...))
}

// describe names a node in a step.
func (e *editor) describe(i int) string {
	n := &e.g.Nodes[i]
	return fmt.Sprintf("%s %q", n.Op.Name(), e.g.Tensor(n.Outputs[0]).Name)
}

// sole reports whether an activation is read by one operand and nothing else.
func (e *editor) sole(id graph.TensorID) bool { return len(e.readers[id]) == 1 && !e.output[id] }

// maker returns the node that computes operand k of node i, -1 if none does.
func (e *editor) maker(i, k int) int {
	if in := e.g.Nodes[i].Inputs; k < len(in) && in[k] != graph.None {
		return e.producer[in[k]]
	}
	return -1
}

// rewire makes operand k of node i read id.
func (e *editor) rewire(i, k int, id graph.TensorID) {
	in := e.g.Nodes[i].Inputs
	if in[k] != graph.None {
		e.unread(in[k], i)
	}
	in[k] = id
	e.readers[id] = append(e.readers[id], i)
}

// unread forgets one reading of id by node i.
func (e *editor) unread(id graph.TensorID, i int) {
	if at := slices.Index(e.readers[id], i); at >= 0 {
		e.readers[id] = slices.Delete(e.readers[id], at, at+1)
	}
}

// replace makes every reader of old read id instead.
func (e *editor) replace(old, id graph.TensorID) {
	for _, i := range slices.Clone(e.readers[old]) {
		for k, in := range e.g.Nodes[i].Inputs {
			if in == old {
				e.rewire(i, k, id)
			}
		}
	}
}

// remove takes node i out. Nodes that only it read from go with it.
func (e *editor) remove(i int) {
	n := &e.g.Nodes[i]
	if n.Op == nil {
		return
	}
	n.Op = nil
	for _, id := range n.Outputs {
		if e.producer[id] == i {
			e.producer[id] = -1
		}
	}
	for _, id := range n.Inputs {
		if id == graph.None {
			continue
		}
		e.unread(id, i)
		if p := e.producer[id]; p >= 0 && e.unused(p) {
			e.remove(p)
		}
	}
}

// unused reports whether nothing reads any output of node i.
func (e *editor) unused(i int) bool {
	return !slices.ContainsFunc(e.g.Nodes[i].Outputs, func(id graph.TensorID) bool {
		return len(e.readers[id]) > 0 || e.output[id]
	})
}

// add appends a node. finish puts it where its operands are ready.
func (e *editor) add(op graph.Op, inputs, outputs []graph.TensorID) int {
	i := len(e.g.Nodes)
	e.g.AddNode(op, inputs, outputs)
	for _, id := range inputs {
		if id != graph.None {
			e.readers[id] = append(e.readers[id], i)
		}
	}
	for _, id := range outputs {
		e.producer[id] = i
	}
	return i
}

// tensor appends a tensor without readers.
func (e *editor) tensor(t graph.Tensor) graph.TensorID {
	e.producer, e.readers, e.output = append(e.producer, -1), append(e.readers, nil), append(e.output, false)
	return e.g.AddTensor(t)
}

// constant appends a constant named after old.
func (e *editor) constant(old graph.TensorID, shape tensor.Shape, data []float32) graph.TensorID {
	return e.tensor(graph.Tensor{Name: e.g.Tensor(old).Name, Shape: shape, Type: tensor.Float32, Float: data})
}

// activation appends an activation of old's name and type.
func (e *editor) activation(old graph.TensorID, shape tensor.Shape) graph.TensorID {
	t := e.g.Tensor(old)
	return e.tensor(graph.Tensor{Name: t.Name, Shape: shape, Type: t.Type})
}

// bypass removes node i whose first output equals its operand x in shape and
// values. It refuses where that would lose a graph output: an output that is
// another output, a graph input or a constant.
func (e *editor) bypass(i int, x graph.TensorID) bool {
	y := e.g.Nodes[i].Outputs[0]
	if !e.output[y] {
		e.inherit(x, y)
		e.replace(y, x)
		e.remove(i)
		return true
	}
	p := e.producer[x]
	if p < 0 || e.output[x] {
		return false
	}
	e.g.Nodes[i].Op = nil
	e.unread(x, i)
	e.inherit(y, x)
	e.takeOver(p, x, y)
	return true
}

// takeOver makes node p write y, of the same shape, in place of x.
func (e *editor) takeOver(p int, x, y graph.TensorID) {
	e.producer[x], e.producer[y] = -1, p
	outputs := e.g.Nodes[p].Outputs
	outputs[slices.Index(outputs, x)] = y
	e.replace(x, y)
}

// inherit keeps the range that the model brings for a tensor that goes.
func (e *editor) inherit(kept, gone graph.TensorID) {
	if k, g := e.g.Tensor(kept), e.g.Tensor(gone); len(k.Quant.Scales) == 0 {
		k.Quant = g.Quant
	}
}

// finish brings the nodes into an order of execution, drops what is unused and
// checks the graph. Among ready nodes the old order stays.
func (e *editor) finish() error {
	sorted := make([]graph.Node, 0, len(e.g.Nodes))
	seen := make([]bool, len(e.g.Nodes))
	var visit func(i int)
	visit = func(i int) {
		if seen[i] || e.g.Nodes[i].Op == nil {
			return
		}
		seen[i] = true
		for _, id := range e.g.Nodes[i].Inputs {
			if id != graph.None && e.producer[id] >= 0 {
				visit(e.producer[id])
			}
		}
		sorted = append(sorted, e.g.Nodes[i])
	}
	for i := range e.g.Nodes {
		visit(i)
	}
	e.g.Nodes = sorted
	e.g.Compact()
	return e.g.Infer()
}
