package ptq

import (
	"math"
	"slices"

	"kedge/quant/graph"
)

// The limits of Equalize.
const (
	// maxEqualize bounds the factor of a channel, both ways: an activation's
	// channels share one scale, and what one gains there others lose.
	maxEqualize = 16
	// equalizeRounds is how often all pairs are gone through: chains of layers
	// come to rest after a few.
	equalizeRounds = 20
	// equalizeGain is the part of the error that a step has to take away.
	equalizeGain = 1e-3
)

// Equalize returns a copy of g, a float graph that passed Infer and was
// simplified, in which the channels between neighboring layers have been scaled
// so that their weights lose less when they are rounded to int8 with the scales
// that o gives them: what a layer's channel is divided by, the next layer's
// weights for it are multiplied by. It computes the same as g, up to the rounding
// of float32. pairs is the number of pairs of layers that were changed. Tensors
// keep their ids.
//
// Only layers directly behind each other with no activation or RELU between
// them are pairs, for others do not commute with a factor. Channels without
// weights stay. A step is taken only where it lessens the error that rounding
// the weights of the layers around it brings. Most is gained with
// Options.PerTensor, where every scale is that of the greatest channel.
//
// Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and
// Bias Correction" (2019).
func Equalize(g *graph.Graph, o Options) (equalized *graph.Graph, pairs int) {
	e := &equalizer{g: g.Clone(), options: o, readers: make([]int, len(g.Tensors)), factors: make([][]float64, len(g.Tensors))}
	for i := range e.g.Nodes {
		for _, id := range e.g.Nodes[i].Inputs {
			if id != graph.None {
				e.readers[id]++
			}
		}
	}
	for _, id := range e.g.Outputs {
		e.readers[id]++
	}
	e.list = e.pairs()
	changed := make([]bool, len(e.list))
	for range equalizeRounds {
		again := false
		for i, p := range e.list {
			if e.step(p) {
				changed[i], again = true, true
			}
		}
		if !again {
			break
		}
	}
	for _, c := range changed {
		if c {
			pairs++
		}
	}
	return e.g, pairs
}

// equalizer is one run: factors has, by tensor, what each channel of the
// original is of the one now; nil for 1. list has all pairs.
type equalizer struct {
	g       *graph.Graph
	options Options
	readers []int // by tensor: operands and graph outputs that it is
	factors [][]float64
	list    []pair
}

// weightedSide is a layer as one side of a pair.
type weightedSide struct {
	n          *graph.Node
	out        layout
	in         layout
	multiplier int // the input channel is the one of in by this
}

// pair is two layers with tensor between between them.
type pair struct {
	first, second weightedSide
	between       graph.TensorID
}

func (e *equalizer) pairs() []pair {
	var list []pair
	producers := e.g.Producers()
	for i := range e.g.Nodes {
		second, _, ok := e.side(i)
		if !ok {
			continue
		}
		x := second.n.Inputs[0]
		if producers[x] < 0 || e.readers[x] != 1 {
			continue
		}
		first, activation, ok := e.side(producers[x])
		shape := e.g.Tensor(x).Shape
		if !ok || activation != graph.Linear && activation != graph.ReLU || shape[len(shape)-1] != second.in.channels/second.multiplier {
			continue
		}
		list = append(list, pair{first, second, x})
	}
	return list
}

// side returns node i as a layer whose weights and bias are its own.
func (e *equalizer) side(i int) (s weightedSide, a graph.Activation, ok bool) {
	n := &e.g.Nodes[i]
	s = weightedSide{n: n, multiplier: 1}
	switch op := n.Op.(type) {
	case graph.Conv2D:
		a = op.Activation
	case graph.FullyConnected:
		a = op.Activation
	case graph.DepthwiseConv2D:
		a, s.multiplier = op.Activation, op.Multiplier
	default:
		return s, a, false
	}
	for _, id := range n.Inputs[1:] {
		if id != graph.None && (e.g.Tensor(id).Float == nil || e.readers[id] != 1) {
			return s, a, false
		}
	}
	shape := e.g.Tensor(n.Inputs[1]).Shape
	last := len(shape) - 1
	s.in, s.out = alongAxis(shape, last), alongAxis(shape, 0)
	if _, depthwise := n.Op.(graph.DepthwiseConv2D); depthwise {
		s.out = s.in
	}
	return s, a, true
}

// step brings the ranges of the weights on both sides of every channel together
// and reports whether that was for the better.
func (e *equalizer) step(p pair) bool {
	first, second := e.g.Tensor(p.first.n.Inputs[1]), e.g.Tensor(p.second.n.Inputs[1])
	above := absMax(first.Float, p.first.out)
	below := make([]float32, len(above))
	for i, v := range second.Float {
		c := p.second.channel(i)
		below[c] = max(below[c], v, -v)
	}
	old := e.factors[p.between]
	if old == nil {
		old = slices.Repeat([]float64{1}, len(above))
	}
	before := e.loss(p)
	factors, scale := slices.Clone(old), make([]float64, len(old))
	for c := range factors {
		if above[c] > 0 && below[c] > 0 {
			s := math.Sqrt(float64(above[c]) / float64(below[c]))
			factors[c] = min(max(old[c]*s, 1.0/maxEqualize), maxEqualize)
		}
		scale[c] = factors[c] / old[c]
	}
	undo := [...][]float32{first.Float, second.Float}
	first.Float = rescaled(first.Float, func(i int) float64 { return 1 / scale[p.first.out.of(i)] })
	second.Float = rescaled(second.Float, func(i int) float64 { return scale[p.second.channel(i)] })
	kept := e.factors[p.between]
	e.factors[p.between] = factors
	if after := e.loss(p); !(after < before*(1-equalizeGain)) {
		first.Float, second.Float, e.factors[p.between] = undo[0], undo[1], kept
		return false
	}
	if b := e.g.Bias(p.first.n); b != nil {
		b.Float = rescaled(b.Float, func(i int) float64 { return 1 / scale[i] })
	}
	return true
}

// channel is the input channel of weight i.
func (s *weightedSide) channel(i int) int { return s.in.of(i) / s.multiplier }

func rescaled(w []float32, by func(i int) float64) []float32 {
	out := make([]float32, len(w))
	for i, v := range w {
		out[i] = float32(float64(v) * by(i))
	}
	return out
}

// loss sums the losses of all pairs that the given one has a layer in common
// with, itself included.
func (e *equalizer) loss(p pair) float64 {
	sum := 0.0
	for _, other := range e.list {
		if other.first.n == p.first.n || other.first.n == p.second.n || other.second.n == p.first.n || other.second.n == p.second.n {
			sum += e.pairLoss(other)
		}
	}
	return sum
}

// pairLoss is the part of the energy that passes through the channels between two
// layers, were their inputs all alike, that the rounding of weights adds: a
// channel's is the product of those of its weights on both sides, which scaling
// it does not change.
func (e *equalizer) pairLoss(p pair) float64 {
	n := p.first.out.channels
	a, lostA := e.energies(p.first, n, p.first.out.of)
	b, lostB := e.energies(p.second, n, p.second.channel)
	lost, energy := 0.0, 0.0
	for c := range a {
		lost += lostA[c]*b[c] + a[c]*lostB[c]
		energy += a[c] * b[c]
	}
	if energy == 0 {
		return 0
	}
	return lost / energy
}

// energies gives, by channel, the energy of a layer's weights and that of their
// rounding errors. Channels on the layer's other side count as they do in the
// original network.
func (e *equalizer) energies(s weightedSide, channels int, channel func(i int) int) (energy, lost []float64) {
	w := e.g.Tensor(s.n.Inputs[1]).Float
	limits := absMax(w, s.out)
	_, dense := s.n.Op.(graph.FullyConnected)
	if e.options.PerTensorConv || dense && e.options.PerTensor {
		limits = []float32{slices.Max(limits)}
	}
	in, out := e.factors[s.n.Inputs[0]], e.factors[s.n.Outputs[0]]
	energy, lost = make([]float64, channels), make([]float64, channels)
	for i, v := range w {
		weight, o := 1.0, s.out.of(i)
		if out != nil {
			weight *= out[o]
		}
		if in != nil {
			weight /= in[s.channel(i)]
		}
		limit := float64(limits[min(o, len(limits)-1)])
		if limit == 0 {
			continue
		}
		x := float64(v) * weight
		d := (math.Round(float64(v)*127/limit)*limit/127 - float64(v)) * weight
		c := channel(i)
		energy[c] += x * x
		lost[c] += d * d
	}
	return energy, lost
}
