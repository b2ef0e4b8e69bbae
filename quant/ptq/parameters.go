package ptq

import (
	"fmt"
	"math"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// parameters gives every integer activation and data constant its scale and zero
// point.
func (c *converter) parameters() error {
	if err := c.prescribe(); err != nil {
		return err
	}
	g := c.group()
	for set, members := range g.members {
		if len(members) == 0 || !c.quantizes(members[0]) {
			continue
		}
		q, err := c.derive(g, graph.TensorID(set))
		if err != nil {
			return err
		}
		for _, id := range members {
			c.dst.Tensor(id).Quant = q
		}
	}
	c.raise(g)
	c.requantize()
	for i := range c.dst.Nodes {
		c.state(&c.dst.Nodes[i])
	}
	return nil
}

// quantizes reports whether a tensor of dst is an activation of integers, or a
// constant that stands for one.
func (c *converter) quantizes(id graph.TensorID) bool {
	t := c.dst.Tensor(id)
	return t.Type == tensor.Int8 || t.Type == tensor.Int16
}

// prescribe collects the parameters that do not come from a range: those that an
// operator fixes, and those that were given.
func (c *converter) prescribe() error {
	c.fixed = make([]*tensor.Quant, len(c.dst.Tensors))
	producers := c.src.Producers()
	for i := range c.dst.Tensors {
		id, t := graph.TensorID(i), c.dst.Tensor(graph.TensorID(i))
		from := c.origin[id]
		given := c.src.Tensor(from).Quant
		if q, ok := c.options.Given[from]; ok {
			given = q
		}
		if !c.src.Tensor(from).IsConstant() {
			t.Quant = tensor.Quant{}
		}
		if !c.quantizes(id) || c.src.Tensor(from).IsConstant() {
			continue
		}
		if p := producers[from]; p >= 0 {
			if f := formOf(c.src.Nodes[p].Op, t.Type).fixed; len(f.Scales) > 0 {
				c.fixed[id] = &f
				continue
			}
		}
		if len(given.Scales) == 0 {
			continue
		}
		q, err := given8(given, t.Type)
		if err != nil {
			return fmt.Errorf("%s: %w", c.label(id), err)
		}
		c.fixed[id] = &q
	}
	return nil
}

// given8 checks int8 parameters that somebody else chose, and with int16
// activations covers the same range.
func given8(q tensor.Quant, to tensor.Type) (tensor.Quant, error) {
	s, z := q.Scale(), q.ZeroPoint()
	if len(q.Scales) != 1 || !(s > 0) || math.IsInf(float64(s), 1) || z < math.MinInt8 || z > math.MaxInt8 {
		return q, fmt.Errorf("%w: given %d scales (%v), zero point %d, want one pair for int8", ErrRange, len(q.Scales), s, z)
	}
	if to == tensor.Int16 {
		return Symmetric(calib.Range{Min: s * float32(math.MinInt8-z), Max: s * float32(math.MaxInt8-z)})
	}
	return fixed(s, z), nil
}

// derive computes the parameters of a set from the ranges of those members that
// need theirs.
func (c *converter) derive(g *groups, set graph.TensorID) (tensor.Quant, error) {
	if q := g.fixed(set); q != nil {
		return *q, nil
	}
	var all calib.Range
	for _, id := range g.members[set] {
		if !g.demands(id) {
			continue
		}
		r, err := c.rangeOf(id)
		if err != nil {
			return tensor.Quant{}, err
		}
		all = calib.Range{Min: min(all.Min, r.Min), Max: max(all.Max, r.Max)}
	}
	q, err := c.cover(all, c.dst.Tensor(set).Type)
	if err != nil {
		return q, fmt.Errorf("%s: %w", c.label(set), err)
	}
	return q, nil
}

// rangeOf is the calibrated range of what a tensor of dst holds, or that of a
// constant's values.
func (c *converter) rangeOf(id graph.TensorID) (calib.Range, error) {
	from := c.src.Tensor(c.origin[id])
	if from.IsConstant() {
		var r calib.Range
		for _, v := range from.Float {
			r = calib.Range{Min: min(r.Min, v), Max: max(r.Max, v)}
		}
		return r, nil
	}
	r, ok := c.ranges[c.origin[id]]
	if !ok {
		return r, fmt.Errorf("%w: tensor %d %q was not calibrated", ErrRange, c.origin[id], from.Name)
	}
	if !(r.Min <= r.Max) || math.IsInf(float64(r.Min), 0) || math.IsInf(float64(r.Max), 0) {
		return r, fmt.Errorf("%w: tensor %d %q from %v to %v", ErrRange, c.origin[id], from.Name, r.Min, r.Max)
	}
	return r, nil
}

func (c *converter) cover(r calib.Range, to tensor.Type) (tensor.Quant, error) {
	if to == tensor.Int16 {
		return Symmetric(r)
	}
	return Asymmetric(r)
}

// requantize puts a QUANTIZE before every input that has other parameters than
// an operator which moves raw values to its output.
func (c *converter) requantize() {
	for i := 0; i < len(c.dst.Nodes); i++ {
		if !formOf(c.dst.Nodes[i].Op, c.types[i]).same {
			continue
		}
		want := c.dst.Tensor(c.dst.Nodes[i].Outputs[0]).Quant
		for k, id := range c.dst.Nodes[i].Inputs {
			t := c.dst.Tensor(id)
			if equal(t.Quant, want) {
				continue
			}
			to := c.add(graph.Tensor{Name: t.Name + "_requantized", Shape: t.Shape, Type: t.Type, Quant: want}, c.origin[id])
			c.convert(i, id, to)
			i++
			c.dst.Nodes[i].Inputs[k] = to
		}
	}
}

// state copies parameters into the conversions, which carry them too.
func (c *converter) state(n *graph.Node) {
	switch op := n.Op.(type) {
	case graph.Quantize:
		op.Quant = c.dst.Tensor(n.Outputs[0]).Quant
		n.Op = op
	case graph.Dequantize:
		op.Quant = c.dst.Tensor(n.Inputs[0]).Quant
		n.Op = op
	}
}
