package signal

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
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

// maxBins is how many values of a context a reference can have (drift.MaxContexts).
const maxBins = 256

// ErrContext: a declaration of a context that is not known, or not for this model.
var ErrContext = errors.New("unsuitable context")

// A Context says in which circumstances a sample was taken, where a signal depends on
// them while all is well. It is immutable.
type Context struct {
	Key     string
	edges   []float64 // of ContextFeature, rising
	feature int
	bins    []string // names of the hours, or of the bins
}

// ParseContext checks a declaration for a model with the named features.
func ParseContext(key string, edges []float64, features []string) (*Context, error) {
	c := &Context{Key: key, edges: slices.Clone(edges)}
	fail := func(format string, args ...any) (*Context, error) {
		return nil, fmt.Errorf("context %.80q: %s: %w", key, fmt.Sprintf(format, args...), ErrContext)
	}
	name, isFeature := strings.CutPrefix(key, ContextFeature)
	bins := 24
	switch {
	case isFeature:
		if c.feature = slices.Index(features, name); c.feature < 0 {
			return fail("no such feature")
		}
		bins = len(edges) + 1
		if bins < 2 || bins > maxBins {
			return fail("%d edges, want 1 to %d", len(edges), maxBins-1)
		}
		for i, e := range edges {
			if math.IsNaN(e) || math.IsInf(e, 0) || i > 0 && e <= edges[i-1] {
				return fail("edge %d is %v, want them finite and rising", i, e)
			}
		}
	case key != ContextHour && key != ContextSource:
		return fail("this version knows hour, source and feature:<name>")
	case len(edges) > 0:
		return fail("edges, which only a feature has")
	}
	for i := range bins {
		c.bins = append(c.bins, strconv.Itoa(i))
	}
	return c, nil
}

// Of is the context of a sample: when it was taken, what the source said with it, and
// its features before standardization. It allocates nothing.
func (c *Context) Of(at time.Time, source string, raw []float64) string {
	switch c.Key {
	case ContextHour:
		return c.bins[at.UTC().Hour()]
	case ContextSource:
		return source
	}
	i, found := slices.BinarySearch(c.edges, raw[c.feature])
	if found {
		i++ // an edge belongs to the bin above
	}
	return c.bins[i]
}
