package calib

import (
	"fmt"
	"math"
	"slices"

	"kedge/quant/graph"
)

// What follows notices samples of 0 to 1 for a network of 0 to 255 and the
// reverse, by what such inputs do to a trained network. A network without biases
// answers the same on any scale; there nothing is noticed.

// leastReach is the least that inputs must be able to move a first layer's sums,
// in units of its biases. In trained networks for images, sound and digits the
// median channel is at 17 and above on their own scale; 1/255 of the scale leaves
// 0.07 to 0.44 of most. One for speech, whose features spread far, stays at 8:
// nothing tells that from a sound scale.
const leastReach = 0.5

// tooSmall says if the inputs are so small that the first layers' biases decide
// everything: in the median channel even inputs of the greatest magnitude that
// was seen, all with the signs of the weights, could not outweigh the bias.
func (s *Statistics) tooSmall() string {
	for _, id := range s.g.Inputs {
		t := s.Tensor(id)
		if t == nil {
			continue
		}
		reach := s.reaches(id, max(math.Abs(float64(t.Min)), math.Abs(float64(t.Max))))
		if len(reach) == 0 {
			continue
		}
		if m := median(reach); m < leastReach {
			return fmt.Sprintf("input %q holds %v to %v, too small for the first layer: inputs can move its sums by %.2g of the bias at most; "+
				"give the samples on the scale that the float model takes (perhaps 0 to 255 instead of 0 to 1)", t.Name, t.Min, t.Max, m)
		}
	}
	return ""
}

// reaches gives, for every channel of the layers that read a graph input, how
// many times its bias inputs of that magnitude can add up to.
func (s *Statistics) reaches(input graph.TensorID, magnitude float64) []float64 {
	var out []float64
	same := map[graph.TensorID]bool{input: true} // tensors that hold the input's values
	for i := range s.g.Nodes {
		n := &s.g.Nodes[i]
		if len(n.Inputs) == 0 || !same[n.Inputs[0]] {
			continue
		}
		switch n.Op.(type) {
		case graph.Reshape, graph.Transpose, graph.Pad, graph.Split, graph.StridedSlice:
			for _, id := range n.Outputs {
				same[id] = true
			}
		case graph.Conv2D, graph.FullyConnected:
			if len(n.Inputs) > 2 && n.Inputs[2] != graph.None {
				out = append(out, reach(s.g.Tensor(n.Inputs[1]).Float, s.g.Tensor(n.Inputs[2]).Float, magnitude)...)
			}
		}
	}
	return out
}

// reach is that of every filter with a bias, filters being rows of w. Dead ones,
// whose weights are next to nothing, say nothing about the scale.
func reach(w, bias []float32, magnitude float64) []float64 {
	sums, size := make([]float64, len(bias)), len(w)/max(len(bias), 1)
	for c := range sums {
		for _, v := range w[c*size : (c+1)*size] {
			sums[c] += math.Abs(float64(v))
		}
	}
	var out []float64
	for c, sum := range sums {
		if bias[c] != 0 && sum > 1e-3*slices.Max(sums) {
			out = append(out, sum*magnitude/math.Abs(float64(bias[c])))
		}
	}
	return out
}

// leastBias is the least share of a layer's greatest output that its median bias
// must have in a quarter of the layers. Trained networks on their own scale are at
// 0.014 and above, at 255 times the scale at 0.001 and below. A single layer
// proves nothing: among many, one may have a large bias on any scale.
const leastBias = 0.002

// tooLarge says if the inputs are so large that hardly a layer's biases matter: layers
// with ReLU between them hand a scale on, so that inputs 255 times too large make
// every layer's sums as much larger than its biases.
func (s *Statistics) tooLarge() string {
	var shares []float64
	for i := range s.g.Nodes {
		n := &s.g.Nodes[i]
		switch n.Op.(type) {
		case graph.Conv2D, graph.DepthwiseConv2D, graph.FullyConnected:
		default:
			continue
		}
		out := s.Tensor(n.Outputs[0])
		if out == nil || len(n.Inputs) < 3 || n.Inputs[2] == graph.None {
			continue
		}
		if share := biasShare(s.g.Tensor(n.Inputs[2]).Float, out); share > 0 {
			shares = append(shares, share)
		}
	}
	if len(shares) < 2 {
		return ""
	}
	slices.Sort(shares)
	upper := shares[len(shares)*3/4]
	if upper >= leastBias {
		return ""
	}
	t := s.Tensor(s.g.Inputs[0])
	return fmt.Sprintf("input %q holds %v to %v, too large for the network: in most layers the biases make no more than %.2g of the output; "+
		"give the samples on the scale that the float model takes (perhaps 0 to 1 instead of 0 to 255)", t.Name, t.Min, t.Max, upper)
}

// biasShare is the median of the biases that are not zero, as a share of the
// layer's greatest output.
func biasShare(bias []float32, out *Tensor) float64 {
	var sizes []float64
	for _, b := range bias {
		if b != 0 {
			sizes = append(sizes, math.Abs(float64(b)))
		}
	}
	top := max(math.Abs(float64(out.Min)), math.Abs(float64(out.Max)))
	if len(sizes) == 0 || top == 0 {
		return 0
	}
	return median(sizes) / top
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}
