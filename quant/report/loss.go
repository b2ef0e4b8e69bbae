package report

import (
	"cmp"
	"fmt"
	"slices"
)

// Loss is a layer that costs accuracy, and why.
type Loss struct {
	Layer  int     `json:"layer"` // place in Report.Layers
	Reason string  `json:"reason"`
	Causes []Cause `json:"causes"` // most telling first; never empty
}

// Cause is one finding.
type Cause struct {
	Kind   string `json:"kind"`
	Found  string `json:"found"`  // with the figures
	Advice string `json:"advice"` // what to try
}

// worst is how many layers are explained.
const worst = 3

// matter is the least gain or drop in decibels that is a loss worth a word.
const matter = 0.1

// losses finds the layers that cost most: those whose being kept in float brings
// the logits most, then those whose result is worst beside what they read.
func (m *making) losses() {
	m.report.Losses = []Loss{}
	layers := m.report.Layers
	rank := func(value func(*Layer) *float64, reason string) {
		var order []int
		for i := range layers {
			taken := slices.ContainsFunc(m.report.Losses, func(l Loss) bool { return l.Layer == i })
			if v := value(&layers[i]); v != nil && *v >= matter && !taken {
				order = append(order, i)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(*value(&layers[b]), *value(&layers[a])) })
		for _, i := range order {
			if len(m.report.Losses) < worst {
				l := &layers[i]
				text := fmt.Sprintf(reason, *value(l))
				m.report.Losses = append(m.report.Losses, Loss{i, text, m.causes(l)})
			}
		}
	}
	rank(func(l *Layer) *float64 { return l.Gain }, "Kept in float alone, it brings the logits %.1f dB.")
	rank((*Layer).drop, "Its result has a ratio %.1f dB lower than the worst of its inputs.")
}

// drop is by how much the result is worse than what the layer reads.
func (l *Layer) drop() *float64 {
	if l.SQNR == nil || l.input == nil {
		return nil
	}
	return finite(*l.input - *l.SQNR)
}
