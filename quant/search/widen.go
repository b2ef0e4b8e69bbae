package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kedge/runtime/tensor"
)

// What a multiplication costs in a wider type, that of int8 operands being 1.
// They are estimates for boards without a fast float unit.
const (
	WideCost  = 2 // int16 activations
	FloatCost = 4
)

// unit is a layer that multiplies and the nodes behind it, up to the next layers,
// that hand its values on: they gain nothing from being wider than the layer,
// and the layer little when they are narrower.
type unit struct {
	nodes []int
	macs  int64
	gain  float64 // decibels, of this unit alone in the wider type
}

// widen gives layers wider types until the goal is met: those first that gain the
// most decibels for each multiplication. It takes int16 activations where they
// suffice and float32 otherwise.
func (c *searching) widen(ctx context.Context, best *trial) (*trial, error) {
	if c.o.Goal == 0 || best.measure.logits >= c.o.Goal {
		return best, nil
	}
	var over error
	for _, to := range []tensor.Type{tensor.Int16, tensor.Float32} {
		if to == tensor.Int16 && c.o.PTQ.Activations == to {
			continue
		}
		found, err := c.widenTo(ctx, best, to)
		if found != nil || !errors.Is(err, ErrGoal) && !errors.Is(err, ErrBudget) {
			return found, err
		}
		over = err
	}
	return nil, over
}

// widenTo searches the shortest prefix of the ranked units that meets the goal,
// then narrows again what turns out not to be needed. The result is nil where
// the goal or the limits are missed.
func (c *searching) widenTo(ctx context.Context, best *trial, to tensor.Type) (*trial, error) {
	units, err := c.rank(ctx, best, to)
	if err != nil {
		return nil, err
	}
	prefix := func(n int) (*trial, error) { return c.wide(ctx, best, units[:n], to) }
	low, high := 0, len(units)
	found, err := prefix(high)
	if err != nil {
		return nil, err
	}
	if got := found.measure.logits; got < c.o.Goal {
		return nil, fmt.Errorf("%w: %.1f dB with every layer in %v, want %.1f; inputs and outputs stay as they are", ErrGoal, got, to, c.o.Goal)
	}
	for high-low > 1 {
		t, err := prefix((low + high) / 2)
		if err != nil {
			return nil, err
		}
		if t.measure.logits >= c.o.Goal {
			found, high = t, (low+high)/2
		} else {
			low = (low + high) / 2
		}
	}
	kept := slices.Clone(units[:high])
	for i := len(kept) - 2; i >= 0; i-- { // the last one was needed
		fewer := slices.Delete(slices.Clone(kept), i, i+1)
		t, err := c.wide(ctx, best, fewer, to)
		if err != nil {
			return nil, err
		}
		if t.measure.logits >= c.o.Goal {
			found, kept = t, fewer
		}
	}
	if err := c.within(found); err != nil {
		return nil, err
	}
	return found, nil
}

// within checks the limits.
func (c *searching) within(t *trial) error {
	if c.o.MaxBytes > 0 && t.bytes > c.o.MaxBytes {
		return fmt.Errorf("%w: the goal of %v dB takes %d bytes, the limit is %d", ErrBudget, c.o.Goal, t.bytes, c.o.MaxBytes)
	}
	if cost := c.cost(t); c.o.MaxMACs > 0 && cost > c.o.MaxMACs {
		return fmt.Errorf("%w: the goal of %v dB costs like %d multiplications, the limit is %d", ErrBudget, c.o.Goal, cost, c.o.MaxMACs)
	}
	return nil
}

// wide evaluates best with these units in a wider type.
func (c *searching) wide(ctx context.Context, best *trial, units []unit, to tensor.Type) (*trial, error) {
	t := *best
	t.types = maps.Clone(best.types)
	if t.types == nil {
		t.types = make(map[int]tensor.Type)
	}
	for _, u := range units {
		for _, node := range u.nodes {
			t.types[node] = to
		}
	}
	var err error
	t.measure, err = c.evaluate(ctx, &t)
	return &t, err
}

// rank orders the units by what each gains alone for its multiplications.
func (c *searching) rank(ctx context.Context, best *trial, to tensor.Type) ([]unit, error) {
	units := c.units()
	for i := range units {
		t, err := c.wide(ctx, best, units[i:i+1], to)
		if err != nil {
			return nil, err
		}
		units[i].gain = t.measure.logits - best.measure.logits
	}
	slices.SortStableFunc(units, func(a, b unit) int {
		return cmp.Compare(b.gain/float64(b.macs+1), a.gain/float64(a.macs+1))
	})
	return units, nil
}

// units divides the nodes among the layers. Nodes before the first layer go with
// it; those that Options.PTQ gives a type keep it.
func (c *searching) units() []unit {
	_, costs := c.g.Cost()
	producers := c.g.Producers()
	of := make([]int, len(c.g.Nodes)) // unit of each node
	var units []unit
	for i := range c.g.Nodes {
		for _, id := range c.g.Nodes[i].Inputs {
			if id >= 0 && producers[id] >= 0 {
				of[i] = max(of[i], of[producers[id]])
			}
		}
		if len(units) == 0 || costs[i].MACs > 0 && units[len(units)-1].macs > 0 {
			units = append(units, unit{})
		}
		if costs[i].MACs > 0 {
			of[i] = len(units) - 1
		}
		u := &units[of[i]]
		u.macs += costs[i].MACs
		if _, asked := c.o.PTQ.Types[i]; !asked {
			u.nodes = append(u.nodes, i)
		}
	}
	return slices.DeleteFunc(units, func(u unit) bool { return len(u.nodes) == 0 })
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
		switch {
		case !ok && c.o.PTQ.Activations == tensor.Int16, ok && to == tensor.Int16:
			sum += WideCost * n.MACs
		case ok && to == tensor.Float32:
			sum += FloatCost * n.MACs
		default:
			sum += n.MACs
		}
	}
	return sum
}
