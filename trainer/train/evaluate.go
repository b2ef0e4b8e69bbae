package train

import "math"

// Metrics says how a network does on a set.
type Metrics struct {
	Samples  int     // rows looked at
	Loss     float64 // mean weighted cross-entropy, nats
	Accuracy float64 // share of rows whose top class is right, unweighted
}

// Evaluate runs net over s.
func Evaluate(net *Dense, s Samples) Metrics {
	m := Metrics{Samples: s.Len()}
	if m.Samples == 0 {
		return m
	}
	p, right, total := net.Probabilities(s.X), 0, 0.0
	classes := net.Classes()
	for i, y := range s.Y {
		row := p[i*classes : (i+1)*classes]
		w := 1.0
		if s.Weight != nil {
			w = float64(s.Weight[i])
		}
		m.Loss -= w * logFloor(row[y])
		total += w
		if Top(row) == y {
			right++
		}
	}
	if total > 0 {
		m.Loss /= total
	}
	m.Accuracy = float64(right) / float64(m.Samples)
	return m
}

// Top is the index of the greatest value, the first of equals.
func Top(row []float32) int {
	top := 0
	for i, v := range row {
		if v > row[top] {
			top = i
		}
	}
	return top
}

// logFloor keeps a probability that rounded to zero from making the loss
// infinite.
func logFloor(p float32) float64 { return math.Log(math.Max(float64(p), 1e-30)) }
