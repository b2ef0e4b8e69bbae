package pass

import (
	"fmt"

	"kedge/quant/graph"
)

// maxChannels bounds the memory that coupling takes, against declared shapes
// that no data stands behind.
const maxChannels = 1 << 23

// Channel is one index of a tensor's last dimension.
type Channel struct {
	Tensor graph.TensorID
	Index  int
}

// Coupling groups the channels of a graph's activations that can only be
// removed together, because operators between them combine or hand on channel
// by channel: both sides of a residual ADD, the input and output of a
// DEPTHWISE_CONV_2D, a flattened image and its pixels.
type Coupling struct {
	g     *graph.Graph
	base  []int   // by tensor: number of its first channel, −1 if it takes no part
	group []int   // by channel: parent in a union-find forest, smaller numbers on top
	fixed []bool  // by root: cannot be removed
	owner []int32 // by channel: its tensor
}

// Couple finds the groups of g, which passed Infer. The error matches
// ErrInvalid when the graph declares more channels than can be handled.
func Couple(g *graph.Graph) (*Coupling, error) {
	c := &Coupling{g: g, base: make([]int, len(g.Tensors))}
	for i := range c.base {
		c.base[i] = -1
	}
	for _, id := range g.Inputs {
		c.enter(id)
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if _, ok := n.Op.(graph.Concatenation); ok {
			for _, id := range n.Inputs {
				c.enter(id)
			}
		}
		for _, id := range n.Outputs {
			c.enter(id)
		}
		if len(c.group) > maxChannels {
			return nil, fmt.Errorf("%w: more than %d channels in all", ErrInvalid, maxChannels)
		}
	}
	c.fixed = make([]bool, len(c.group))
	for i := range g.Nodes {
		c.node(i)
	}
	for _, list := range [][]graph.TensorID{g.Inputs, g.Outputs} {
		for _, id := range list {
			c.fix(id)
		}
	}
	return c, nil
}

// enter numbers a tensor's channels.
func (c *Coupling) enter(id graph.TensorID) {
	s := c.g.Tensor(id).Shape
	if c.base[id] >= 0 || len(s) == 0 || s[len(s)-1] > maxChannels {
		return
	}
	c.base[id] = len(c.group)
	for range s[len(s)-1] {
		c.group = append(c.group, len(c.group))
		c.owner = append(c.owner, int32(id))
	}
}

// width is the number of channels of a tensor that takes part, else 0.
func (c *Coupling) width(id graph.TensorID) int {
	if id == graph.None || c.base[id] < 0 {
		return 0
	}
	return lastDim(c.g.Tensor(id))
}

func lastDim(t *graph.Tensor) int { return t.Shape[len(t.Shape)-1] }

// root is the group of channel number x.
func (c *Coupling) root(x int) int {
	for c.group[x] != x {
		c.group[x] = c.group[c.group[x]]
		x = c.group[x]
	}
	return x
}

func (c *Coupling) join(x, y int) {
	x, y = c.root(x), c.root(y)
	c.fixed[min(x, y)] = c.fixed[x] || c.fixed[y]
	c.group[max(x, y)] = min(x, y)
}

// fix keeps all channels of a tensor.
func (c *Coupling) fix(id graph.TensorID) {
	for x := range c.width(id) {
		c.fixed[c.root(c.base[id]+x)] = true
	}
}

// number gives a channel's number, −1 if there is no such channel.
func (c *Coupling) number(ch Channel) int {
	if ch.Tensor < 0 || int(ch.Tensor) >= len(c.base) || ch.Index < 0 || ch.Index >= c.width(ch.Tensor) {
		return -1
	}
	return c.base[ch.Tensor] + ch.Index
}

// Group is a set of channels that can only be removed together.
type Group struct {
	Channels []Channel // by tensor in order of execution, then by index
	// Fixed groups cannot be removed: they reach a graph input or output, or an
	// operator that mixes channels without weights, such as SOFTMAX.
	Fixed bool
}

// Groups lists all groups in order of their first channel.
func (c *Coupling) Groups() []Group {
	var out []Group
	at := make(map[int]int)
	for x := range c.group {
		r := c.root(x)
		i, ok := at[r]
		if !ok {
			i = len(out)
			at[r] = i
			out = append(out, Group{Fixed: c.fixed[r]})
		}
		id := graph.TensorID(c.owner[x])
		out[i].Channels = append(out[i].Channels, Channel{id, x - c.base[id]})
	}
	return out
}
