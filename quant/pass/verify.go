package pass

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"kedge/quant/graph"
)

// Verify runs two graphs, which passed Infer, on the same random inputs and
// returns the greatest difference of an output value, relative to the greatest
// magnitude in that output of before (or absolute where that is below 1). Inputs
// are normally distributed with standard deviations from 1/4 to 4; the same
// graphs get the same inputs. Errors match ErrInvalid if the graphs' inputs or
// outputs differ in number or size, or package graph's.
func Verify(before, after *graph.Graph, runs int) (maxDiff float64, err error) {
	if err := sameInterface(before, after); err != nil {
		return 0, err
	}
	a, err := graph.NewExecutor(before)
	if err != nil {
		return 0, err
	}
	b, err := graph.NewExecutor(after)
	if err != nil {
		return 0, err
	}
	random := rand.New(rand.NewPCG(1, 2))
	for run := range runs {
		inputs := randomInputs(before, random, math.Ldexp(1, run%5-2))
		want, err := a.Run(inputs, nil)
		if err != nil {
			return 0, err
		}
		got, err := b.Run(inputs, nil)
		if err != nil {
			return 0, err
		}
		for k := range want {
			maxDiff = max(maxDiff, difference(want[k], got[k]))
		}
	}
	return maxDiff, nil
}

// sameInterface checks that both graphs take and give the same number of values.
func sameInterface(a, b *graph.Graph) error {
	for _, lists := range [][2][]graph.TensorID{{a.Inputs, b.Inputs}, {a.Outputs, b.Outputs}} {
		if len(lists[0]) != len(lists[1]) {
			return fmt.Errorf("%w: graphs with %d and %d inputs or outputs", ErrInvalid, len(lists[0]), len(lists[1]))
		}
		for i := range lists[0] {
			s, t := a.Tensor(lists[0][i]).Shape, b.Tensor(lists[1][i]).Shape
			if !slices.Equal(s, t) {
				return fmt.Errorf("%w: input or output %d has shape %v in one graph and %v in the other", ErrInvalid, i, s, t)
			}
		}
	}
	return nil
}

func randomInputs(g *graph.Graph, random *rand.Rand, deviation float64) [][]float32 {
	inputs := make([][]float32, len(g.Inputs))
	for i, id := range g.Inputs {
		size, _ := g.Tensor(id).Shape.Elements()
		inputs[i] = make([]float32, size)
		for j := range inputs[i] {
			inputs[i][j] = float32(deviation * random.NormFloat64())
		}
	}
	return inputs
}

// difference is NaN-safe: two NaN agree, one does not.
func difference(want, got []float32) float64 {
	scale, worst := 1.0, 0.0
	for _, v := range want {
		if m := math.Abs(float64(v)); m > scale && !math.IsInf(m, 1) {
			scale = m
		}
	}
	for j, v := range want {
		switch d := math.Abs(float64(v) - float64(got[j])); {
		case v == got[j] || v != v && got[j] != got[j]:
		case d != d:
			return math.Inf(1)
		default:
			worst = max(worst, d)
		}
	}
	return worst / scale
}
