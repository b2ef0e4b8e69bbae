package graph

import (
	"fmt"
	"slices"
)

// maxActivations bounds the values that an executor's activations may take at
// once (4 GiB), so that a few bytes of a hostile model cannot ask for more.
const maxActivations = 1 << 30

// allocate gives every activation that a node computes its buffer. Buffers of
// tensors that no later node reads serve again, so that the memory is that of
// the tensors alive together and more of it stays in the cache. A result never
// shares a buffer with its node's operands; a graph output's is not given on.
func (e *Executor) allocate() error {
	last := e.g.lastUses()
	var free [][]float32
	total := 0
	for i := range e.g.Nodes {
		n := &e.g.Nodes[i]
		for _, id := range n.Outputs {
			size, _ := e.g.Tensor(id).Shape.Elements()
			var b []float32
			if b, free = take(free, size); b == nil {
				if total += size; total > maxActivations {
					return fmt.Errorf("%w: activations of more than %d values", ErrUnsupported, maxActivations)
				}
				b = make([]float32, size)
			}
			e.values[id] = b
		}
		for _, id := range slices.Concat(n.Inputs, n.Outputs) {
			if id == None || last[id] != i {
				continue
			}
			free = append(free, e.values[id])
			last[id] = -1 // an operand may be named twice
		}
	}
	return nil
}

// lastUses gives, for every tensor that a node computes, the last node that
// reads it, or the one that computes it when nobody does. It is −1 for tensors
// whose buffer is not to be used again: constants, graph inputs and outputs.
func (g *Graph) lastUses() []int {
	last := g.Producers()
	for id, users := range g.Users() {
		if last[id] >= 0 && len(users) > 0 {
			last[id] = users[len(users)-1]
		}
	}
	for _, id := range g.Outputs {
		last[id] = -1
	}
	return last
}

// take returns the smallest free buffer that holds size values, cut to them, or
// nil, and the buffers that remain free.
func take(free [][]float32, size int) (b []float32, rest [][]float32) {
	best := -1
	for i, f := range free {
		if cap(f) >= size && (best < 0 || cap(f) < cap(free[best])) {
			best = i
		}
	}
	if best < 0 {
		return nil, free
	}
	b = free[best][:size]
	return b, slices.Delete(free, best, best+1)
}
