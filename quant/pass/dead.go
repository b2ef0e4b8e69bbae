package pass

import (
	"kedge/quant/graph"
)

// DeadWeight is the part of a layer's greatest weight below which all weights
// of a channel count as none. Training with weight decay leaves such channels
// behind in great numbers; what they add is less than the rounding of float32
// in a sum over the layer's living channels.
const DeadWeight = 1e-6

// removeDeadChannels removes channels that no weight reads, or whose value is
// the same for every input and can be put into the biases of the layers that
// read them. Every tensor keeps at least one channel.
func removeDeadChannels(e *editor) error {
	c, err := Couple(e.g)
	if err != nil {
		return nil // too many channels to look at is no reason to fail
	}
	v := constantsOf(c)
	gone := c.removable(v)
	c.spare(gone)
	for i := range e.g.Nodes {
		if n, of := c.lost(i, gone); n > 0 {
			e.note("%s loses %d of %d channels", e.describe(i), n, of)
		}
	}
	if len(e.steps) == 0 {
		return nil
	}
	for i := range e.g.Nodes {
		if l, ok := layerOf(e.g, i); ok {
			e.biasConstants(c, l, gone, v)
		}
	}
	smaller, err := c.cut(gone)
	if err != nil {
		return err
	}
	steps := e.steps
	*e.g = *smaller
	*e = *newEditor(e.g)
	e.steps = steps
	return nil
}

// removable marks, by root, the groups without which every layer computes the
// same, once the constant ones are in its bias.
func (c *Coupling) removable(v *constants) []bool {
	gone := make([]bool, len(c.group))
	for x := range c.group {
		gone[c.root(x)] = !c.fixed[c.root(x)]
	}
	for i := range c.g.Nodes {
		l, ok := layerOf(c.g, i)
		if !ok {
			continue
		}
		in := c.reads(l)
		if in < 0 {
			continue
		}
		floor := l.floor()
		for j, w := range l.weights.Float {
			if abs(w) <= floor {
				continue
			}
			_, x := l.channels(j)
			if x += in; !v.known[x] || l.padded && v.value[x] != 0 {
				gone[c.root(x)] = false
			}
		}
	}
	return gone
}

// reads is the number of the first channel that the layer sums over; −1 where
// its input is coupled with its output instead.
func (c *Coupling) reads(l layer) int {
	if l.multiplier > 0 && l.in > 1 {
		return -1
	}
	return c.base[c.g.Nodes[l.node].Inputs[0]]
}

// floor is the magnitude up to which the layer's weights count as none.
func (l *layer) floor() float32 {
	top := float32(0)
	for _, w := range l.weights.Float {
		top = max(top, abs(w))
	}
	return top * DeadWeight
}

func abs(x float32) float32 { return max(x, -x) }

// spare unmarks groups so that every tensor keeps a channel.
func (c *Coupling) spare(gone []bool) {
	for i := range c.g.Tensors {
		id := graph.TensorID(i)
		left := c.width(id)
		for x := range c.width(id) {
			if gone[c.root(c.base[id]+x)] {
				left--
			}
		}
		if left == 0 && c.width(id) > 0 {
			gone[c.root(c.base[id])] = false
		}
	}
}

// lost counts the marked channels of node i's first result.
func (c *Coupling) lost(i int, gone []bool) (lost, of int) {
	id := c.g.Nodes[i].Outputs[0]
	of = c.width(id)
	for x := range of {
		if gone[c.root(c.base[id]+x)] {
			lost++
		}
	}
	return lost, of
}

// biasConstants adds to the layer's bias what the marked channels of its input
// contribute. Where there is padding, removable left only those that are 0.
func (e *editor) biasConstants(c *Coupling, l layer, gone []bool, v *constants) {
	in := c.reads(l)
	if in < 0 || l.padded {
		return
	}
	sums, found := make([]float64, l.out), false
	for j, w := range l.weights.Float {
		out, x := l.channels(j)
		if x += in; gone[c.root(x)] && v.known[x] && v.value[x] != 0 {
			sums[out] += float64(w) * float64(v.value[x])
			found = true
		}
	}
	if !found {
		return
	}
	bias := make([]float32, l.out)
	for o, s := range sums {
		if l.bias != nil {
			s += float64(l.bias[o])
		}
		bias[o] = float32(s)
	}
	e.setWeights(l, l.weights.Float, bias)
}
