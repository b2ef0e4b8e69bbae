package pipeline

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"kedge/agent/drift"
	"kedge/agent/source"
)

// Keys of a Context.
const (
	// ContextHour is the hour of the sample's time in UTC, "0" to "23".
	ContextHour = "hour"
	// ContextSource is what the source says with each sample.
	ContextSource = "source"
	// ContextFeature is followed by the name of a feature, whose value before
	// standardization falls into bin "0", "1", ...: as many edges are at most it.
	ContextFeature = "feature:"
)

// A Context says in which circumstances a sample was taken. The references have one
// each; a sample in any other is judged by all of them together, and counted.
type Context struct {
	Key   string
	Edges []float64 // of ContextFeature, rising

	feature int
	bins    []string // names of the hours, or of the bins
}

// open checks a declaration; nil stays nil.
func (c *Context) open(names []string) (*Context, error) {
	if c == nil {
		return nil, nil
	}
	o := &Context{Key: c.Key, Edges: slices.Clone(c.Edges)}
	name, isFeature := strings.CutPrefix(c.Key, ContextFeature)
	bins := 24
	switch {
	case isFeature:
		if o.feature = slices.Index(names, name); o.feature < 0 {
			return nil, fmt.Errorf("context %.80q: no such feature: %w", c.Key, ErrModel)
		}
		bins = len(c.Edges) + 1
		if bins < 2 || bins > drift.MaxContexts {
			return nil, fmt.Errorf("context %.80q with %d edges, want 1 to %d: %w", c.Key, len(c.Edges), drift.MaxContexts-1, ErrModel)
		}
		for i, e := range c.Edges {
			if math.IsNaN(e) || math.IsInf(e, 0) || i > 0 && e <= c.Edges[i-1] {
				return nil, fmt.Errorf("context %.80q: edge %d is %v, want them finite and rising: %w", c.Key, i, e, ErrModel)
			}
		}
	case len(c.Edges) > 0:
		return nil, fmt.Errorf("context %.80q with edges, which only a feature has: %w", c.Key, ErrModel)
	case c.Key != ContextHour && c.Key != ContextSource:
		return nil, fmt.Errorf("context %.80q: this version knows hour, source and feature:<name>: %w", c.Key, ErrModel)
	}
	for i := range bins {
		o.bins = append(o.bins, strconv.Itoa(i))
	}
	return o, nil
}

// of is the context of a sample whose features before standardization are raw; empty
// without a declaration. It allocates nothing.
func (c *Context) of(s *source.Sample, raw []float64) string {
	switch {
	case c == nil:
		return ""
	case c.Key == ContextHour:
		return c.bins[s.Time.UTC().Hour()]
	case c.Key == ContextSource:
		return s.Context
	}
	i, found := slices.BinarySearch(c.Edges, raw[c.feature])
	if found {
		i++ // an edge belongs to the bin above
	}
	return c.bins[i]
}
