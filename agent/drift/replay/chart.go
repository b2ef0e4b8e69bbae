package replay

import "math"

// Chart collects a replay in a bounded number of bins, so that a drawing is as good
// and as small after a million rows as after a hundred. The zero value is ready.
type Chart struct {
	signal string
	lines  []string // one per detector

	rows   int64
	stride int64 // rows per bin
	bins   []bin
	first  int64 // row of the first alarm, -1 for none
}

// chartBins is when bins are joined in pairs: about two per pixel.
const chartBins = 1600

// maxLines is the number of detectors that are drawn.
const maxLines = 5

// bin is what happened in some successive rows.
type bin struct {
	signal extent
	sum    float64          // of the signal
	count  int64            // of its samples
	shares [maxLines]extent // statistic/threshold of each detector
	alarm  bool
}

// extent is a closed interval, empty unless some is set.
type extent struct {
	low, high float64
	some      bool
}

func (e *extent) add(v float64) {
	switch {
	case math.IsNaN(v):
	case !e.some:
		*e = extent{v, v, true}
	default:
		e.low, e.high = min(e.low, v), max(e.high, v)
	}
}

func (e *extent) join(other extent) {
	if other.some {
		e.add(other.low)
		e.add(other.high)
	}
}

func (c *Chart) begin(signal string, lines []string) {
	*c = Chart{signal: signal, lines: lines[:min(len(lines), maxLines)], stride: 1, first: -1}
}

// add takes what one row said.
func (c *Chart) add(x float64, shares []float64, o outcome) {
	i := int(c.rows / c.stride)
	if i == chartBins {
		c.halve()
		i = int(c.rows / c.stride)
	}
	if i == len(c.bins) {
		c.bins = append(c.bins, bin{})
	}
	b := &c.bins[i]
	if x = min(max(x, -maxDrawn), maxDrawn); !math.IsNaN(x) {
		b.signal.add(x)
		b.sum += x
		b.count++
	}
	for j := range c.lines {
		b.shares[j].add(shares[j])
	}
	if o.alarm {
		b.alarm = true
		if c.first < 0 {
			c.first = c.rows
		}
	}
	c.rows++
}

// halve joins neighboring bins.
func (c *Chart) halve() {
	for i := range len(c.bins) / 2 {
		b := c.bins[2*i]
		other := &c.bins[2*i+1]
		b.signal.join(other.signal)
		b.sum, b.count = b.sum+other.sum, b.count+other.count
		for j := range b.shares {
			b.shares[j].join(other.shares[j])
		}
		b.alarm = b.alarm || other.alarm
		c.bins[i] = b
	}
	c.bins = c.bins[:len(c.bins)/2]
	c.stride *= 2
}

// signals is the range of the signal.
func (c *Chart) signals() extent {
	var e extent
	for i := range c.bins {
		e.join(c.bins[i].signal)
	}
	return e
}

// shares is the range of all statistics, from 0 to a little above the threshold at
// least; what lies beyond maxShare is cut off.
func (c *Chart) shares() extent {
	e := extent{0, 1.2, true}
	for i := range c.bins {
		for j := range c.lines {
			e.join(c.bins[i].shares[j])
		}
	}
	return extent{0, min(e.high, maxShare), true}
}

const maxShare = 4

// maxDrawn keeps sums and differences of what is drawn finite.
const maxDrawn = 1e280

// meanPoints is about how many means of the signal are drawn: few, because it is the
// slow course that they show.
const meanPoints = 80

// means joins bins for the line of the means.
func (c *Chart) means() Chart {
	m := *c
	m.bins = append([]bin(nil), c.bins...)
	for len(m.bins) > 2*meanPoints {
		if len(m.bins)%2 == 1 {
			m.bins = append(m.bins, bin{})
		}
		m.halve()
	}
	for i := range m.bins {
		if b := &m.bins[i]; b.count > 0 {
			mean := b.sum / float64(b.count)
			b.signal = extent{mean, mean, true}
		}
	}
	return m
}
