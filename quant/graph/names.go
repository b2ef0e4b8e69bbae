package graph

import "strconv"

// NameTensors gives every tensor a name of its own, since reports and later
// stages match tensors by name: the first of several equal names stays, later
// ones get a number appended, and a missing one becomes "tensor" with its number.
// The same graph gives the same names.
func (g *Graph) NameTensors() {
	taken := make(map[string]bool, len(g.Tensors))
	for i := range g.Tensors {
		taken[g.Tensors[i].Name] = true
	}
	held := make(map[string]bool, len(g.Tensors))
	next := map[string]int{}
	for i := range g.Tensors {
		name := g.Tensors[i].Name
		if name != "" && !held[name] {
			held[name] = true
			continue
		}
		base, n := name+"_", max(next[name], 2)
		if name == "" {
			base, n = "tensor_", max(next[name], i)
		}
		for taken[base+strconv.Itoa(n)] {
			n++
		}
		next[name] = n + 1
		g.Tensors[i].Name = base + strconv.Itoa(n)
		taken[g.Tensors[i].Name], held[g.Tensors[i].Name] = true, true
	}
}
