package search

import (
	"context"
	"maps"

	"kedge/quant/calib"
	"kedge/quant/graph"
	"kedge/quant/ptq"
)

const (
	// descentMargin is what another range has to gain, in decibels.
	descentMargin = 0.05
	// fewest is the number of samples below which halves say nothing.
	fewest = 8
)

// descend gives one set of activations after another the range of another method,
// as long as something is gained.
func (c *searching) descend(ctx context.Context, best *trial) (*trial, error) {
	if c.left == 0 || c.recording.Samples() < fewest {
		return best, nil
	}
	sets, err := ptq.Ties(c.g, c.o.PTQ)
	if err != nil {
		return nil, err
	}
	d := &descent{searching: c, best: best, chosen: make(map[graph.TensorID]Choice)}
	for _, m := range c.o.Methods {
		ranges, err := c.stats.Ranges(m)
		if err != nil {
			return nil, err
		}
		d.ranges = append(d.ranges, ranges)
	}
	for improved := true; improved && c.left > 0; {
		improved = false
		for _, set := range sets {
			better, err := d.coordinate(ctx, set)
			if err != nil {
				return nil, err
			}
			improved = improved || better
		}
	}
	for _, set := range sets {
		if choice, ok := d.chosen[set[0]]; ok {
			c.result.Choices = append(c.result.Choices, choice)
		}
	}
	return d.best, nil
}

// descent is a coordinate descent at work.
type descent struct {
	*searching
	best   *trial
	ranges []calib.Ranges // of each method
	chosen map[graph.TensorID]Choice
}

// coordinate tries the methods on one set of activations and keeps the best.
func (d *descent) coordinate(ctx context.Context, set []graph.TensorID) (bool, error) {
	start := d.best
	seen := []calib.Ranges{start.ranges}
	for i, ranges := range d.ranges {
		if known(seen, ranges, set) || d.left == 0 {
			continue
		}
		seen = append(seen, ranges)
		d.left--
		t := *start
		t.ranges = maps.Clone(start.ranges)
		for _, id := range set {
			t.ranges[id] = ranges[id]
		}
		var err error
		if t.measure, err = d.evaluate(ctx, &t); err != nil {
			return false, err
		}
		if t.measure.beats(start.measure, descentMargin) && (d.best == start || t.measure.all > d.best.measure.all) {
			d.best = &t
			d.chosen[set[0]] = Choice{set, d.g.Tensor(set[0]).Name, d.o.Methods[i], t.measure.all - start.measure.all}
		}
	}
	return d.best != start, nil
}

// known reports whether the set has these ranges in one of seen.
func known(seen []calib.Ranges, ranges calib.Ranges, set []graph.TensorID) bool {
	for _, s := range seen {
		same := true
		for _, id := range set {
			same = same && s[id] == ranges[id]
		}
		if same {
			return true
		}
	}
	return false
}
