package search

import (
	"context"

	"kedge/runtime/tensor"
)

// What a multiplication costs in a wider type, that of int8 operands being 1.
// They are estimates for boards without a fast float unit.
const (
	WideCost  = 2 // int16 activations
	FloatCost = 4
)

// widen gives layers wider types until the goal is met: in each round the one
// that gains the most decibels for each unit of cost.
func (c *searching) widen(ctx context.Context, best *trial) (*trial, error) {
	for c.o.Goal > 0 && best.measure.logits < c.o.Goal {
		next, err := c.widest(ctx, best)
		if next == nil || err != nil {
			return best, err
		}
		best = next
	}
	return best, nil
}

// widest is the best candidate with one layer wider than best, nil where nothing
// is gained within the limits.
func (c *searching) widest(ctx context.Context, best *trial) (*trial, error) {
	var found *trial
	var rate float64
	have := c.cost(best)
	for _, node := range c.layers(best.types) {
		for _, to := range []tensor.Type{tensor.Int16, tensor.Float32} {
			t := wider(best, node, to)
			cost := c.cost(t)
			if cost <= have || c.o.MaxMACs > 0 && cost > c.o.MaxMACs || c.left == 0 {
				continue
			}
			c.left--
			var err error
			if t.measure, err = c.evaluate(ctx, t); err != nil {
				return nil, err
			}
			if c.o.MaxBytes > 0 && t.bytes > c.o.MaxBytes || !t.measure.beats(best.measure, descentMargin) {
				continue
			}
			if r := (t.measure.all - best.measure.all) / float64(cost-have); found == nil || r > rate {
				found, rate = t, r
			}
		}
	}
	return found, nil
}

// cost counts multiplications by what they cost in their node's type.
func (c *searching) cost(t *trial) int64 {
	_, nodes := c.g.Cost()
	sum := int64(0)
	for i, n := range nodes {
		to, ok := t.types[i]
		if !ok {
			to, ok = c.o.PTQ.Types[i]
		}
		if !ok {
			to = c.o.PTQ.Activations
		}
		switch to {
		case tensor.Int16:
			sum += WideCost * n.MACs
		case tensor.Float32:
			if ok {
				sum += FloatCost * n.MACs
				continue
			}
			sum += n.MACs
		default:
			sum += n.MACs
		}
	}
	return sum
}
