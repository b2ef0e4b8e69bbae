package calib

import (
	"fmt"
	"math"
	"slices"

	"kedge/quant/graph"
	"kedge/runtime/tensor"
)

// Bins is the number of bins in a histogram.
const Bins = 2048

// Statistics is what Collect saw. It describes float32 activations; integers that
// a partly quantized graph computes are left out.
type Statistics struct {
	Samples int
	// Tensors holds the activations in order of execution.
	Tensors []Tensor

	g     *graph.Graph
	index []int // by tensor of the graph: place in Tensors, −1 for none
}

// Tensor is one activation over all samples.
type Tensor struct {
	ID    graph.TensorID
	Name  string
	Shape tensor.Shape
	// Min and Max are the extremes of all values.
	Min, Max float32
	// SampleMin and SampleMax are the extremes of each sample.
	SampleMin, SampleMax []float32
	// Mean is that of each channel, the last dimension; a scalar has one.
	Mean []float64
	// Zeros counts exact zeros, Histogram all other values: bin i those from
	// Min0 + i·width to Min0 + (i+1)·width, with Min0 = min(Min, 0) and
	// width = (max(Max, 0) − Min0)/Bins.
	Zeros     uint64
	Histogram []uint64

	sums []int64 // of each channel, see unit
}

// Tensor returns what was seen of an activation of the graph, nil for one that
// is not there.
func (s *Statistics) Tensor(id graph.TensorID) *Tensor {
	if id < 0 || int(id) >= len(s.index) || s.index[id] < 0 {
		return nil
	}
	return &s.Tensors[s.index[id]]
}

// Ranges applies a method to every activation.
func (s *Statistics) Ranges(m Method) (Ranges, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	ranges := make(Ranges, len(s.Tensors))
	for i := range s.Tensors {
		r := m.rangeOf(&s.Tensors[i])
		ranges[s.Tensors[i].ID] = Range{Min: min(r.Min, 0), Max: max(r.Max, 0)}
	}
	return ranges, nil
}

func newStatistics(g *graph.Graph, samples int) *Statistics {
	s := &Statistics{Samples: samples, g: g, index: make([]int, len(g.Tensors))}
	for i := range s.index {
		s.index[i] = -1
	}
	add := func(id graph.TensorID) {
		t := g.Tensor(id)
		if t.Type != tensor.Float32 || s.index[id] >= 0 {
			return
		}
		channels := 1
		if n := len(t.Shape); n > 0 {
			channels = t.Shape[n-1]
		}
		s.index[id] = len(s.Tensors)
		s.Tensors = append(s.Tensors, Tensor{
			ID: id, Name: t.Name, Shape: slices.Clone(t.Shape),
			Min: float32(math.Inf(1)), Max: float32(math.Inf(-1)),
			SampleMin: make([]float32, samples), SampleMax: make([]float32, samples),
			Mean: make([]float64, channels),
		})
	}
	for _, id := range g.Inputs {
		add(id)
	}
	for i := range g.Nodes {
		for _, id := range g.Nodes[i].Outputs {
			add(id)
		}
	}
	return s
}

// extremes is the first pass: it writes each sample's extremes to their own
// place, so that workers do not meet.
type extremes struct{ s *Statistics }

func newExtremes(s *Statistics) *extremes { return &extremes{s} }

func (e *extremes) observe(sample int, id graph.TensorID, values []float32) error {
	t := e.s.Tensor(id)
	if t == nil {
		return nil
	}
	lo, hi := float32(math.Inf(1)), float32(math.Inf(-1))
	for i, v := range values {
		// Neither comparison holds for NaN, and an infinity would be an extreme.
		if !(v >= -math.MaxFloat32 && v <= math.MaxFloat32) {
			return fmt.Errorf("%w: value %v at index %d", ErrSamples, v, i)
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	t.SampleMin[sample], t.SampleMax[sample] = lo, hi
	return nil
}

// takeExtremes needs nothing: observe wrote in place.
func (s *Statistics) takeExtremes(*extremes) {}

// layBins ends the first pass.
func (s *Statistics) layBins() {
	for i := range s.Tensors {
		t := &s.Tensors[i]
		t.Min, t.Max = slices.Min(t.SampleMin), slices.Max(t.SampleMax)
		t.Histogram, t.sums = make([]uint64, Bins), make([]int64, len(t.Mean))
	}
}

// base and width are where bins begin and how wide they are; width 0 means that
// all values are 0.
func (t *Tensor) base() float64 { return min(float64(t.Min), 0) }

func (t *Tensor) width() float64 { return (max(float64(t.Max), 0) - t.base()) / Bins }

// unit is what channel sums are counted in, so that adding them up in integers
// gives the same result in any order: 2⁻⁴⁰ of the greatest magnitude, which
// leaves room for 2²³ samples.
func (t *Tensor) unit() float64 {
	return max(math.Abs(float64(t.Min)), math.Abs(float64(t.Max))) / (1 << 40)
}

// counts is the second pass.
type counts struct {
	s          *Statistics
	zeros      []uint64
	histograms [][]uint64
	sums       [][]int64
	means      []float64 // of one activation's channels in one sample
}

func newCounts(s *Statistics) *counts {
	c := &counts{s: s, zeros: make([]uint64, len(s.Tensors))}
	for i := range s.Tensors {
		c.histograms = append(c.histograms, make([]uint64, Bins))
		c.sums = append(c.sums, make([]int64, len(s.Tensors[i].Mean)))
	}
	return c
}

func (c *counts) observe(_ int, id graph.TensorID, values []float32) error {
	i := c.s.index[id]
	if i < 0 {
		return nil
	}
	t := &c.s.Tensors[i]
	c.zeros[i] += t.count(c.histograms[i], values)
	c.addMeans(t, c.sums[i], values)
	return nil
}

// count adds values to a histogram and returns how many are zero.
func (t *Tensor) count(histogram []uint64, values []float32) (zeros uint64) {
	base, inverse := t.base(), 1/t.width()
	for _, v := range values {
		if v == 0 {
			zeros++
			continue
		}
		// What rounding puts outside belongs to the outermost bins.
		histogram[min(max(int((float64(v)-base)*inverse), 0), Bins-1)]++
	}
	return zeros
}

// addMeans adds one sample's mean of every channel.
func (c *counts) addMeans(t *Tensor, sums []int64, values []float32) {
	channels := len(sums)
	if cap(c.means) < channels {
		c.means = make([]float64, channels)
	}
	means := c.means[:channels]
	clear(means)
	for at := 0; at+channels <= len(values); at += channels {
		for k, v := range values[at : at+channels] {
			means[k] += float64(v)
		}
	}
	unit := t.unit()
	if unit == 0 {
		return
	}
	for k, sum := range means {
		sums[k] += int64(math.Round(sum / float64(len(values)/channels) / unit))
	}
}

// takeCounts adds one worker's counts; all are integers, so the order is of no
// consequence.
func (s *Statistics) takeCounts(c *counts) {
	for i := range s.Tensors {
		t := &s.Tensors[i]
		t.Zeros += c.zeros[i]
		for b, n := range c.histograms[i] {
			t.Histogram[b] += n
		}
		for k, sum := range c.sums[i] {
			t.sums[k] += sum
			t.Mean[k] = float64(t.sums[k]) * t.unit() / float64(s.Samples)
		}
	}
}
