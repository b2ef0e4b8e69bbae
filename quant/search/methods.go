package search

import "context"

// correctionMargin is what corrected biases have to gain, in decibels, to be
// worth it: less is chance.
const correctionMargin = 0.1

// methods tries every method on the whole network and returns the best. Corrected
// biases count only where they beat the same method without.
func (c *searching) methods(ctx context.Context) (*trial, error) {
	var best *trial
	for _, m := range c.o.Methods {
		ranges, err := c.stats.Ranges(m)
		if err != nil {
			return nil, err
		}
		plain := &trial{ranges: ranges, method: m}
		corrected := &trial{ranges: ranges, method: m, corrected: true}
		for _, t := range []*trial{plain, corrected} {
			if t.measure, err = c.evaluate(ctx, t); err != nil {
				return nil, err
			}
			c.result.Tried = append(c.result.Tried, Try{m, t.corrected, t.measure.score()})
		}
		t := plain
		if corrected.measure.beats(plain.measure, correctionMargin) {
			t = corrected
		}
		if best == nil || t.measure.all > best.measure.all {
			best = t
		}
	}
	return best, nil
}
