package inputs

import (
	"cmp"
	"slices"
)

// Movement is a feature that moved, with before and after.
type Movement struct {
	Feature int      `json:"feature"` // index in the reference
	Name    string   `json:"name,omitempty"`
	Tests   []string `json:"tests"` // that fired since it moved
	// Constant: it had one value throughout the reference and now has others.
	Constant bool `json:"constant,omitempty"`
	// Effect is the share of rows that differ, in [0, 1]: the greatest of D, the rate
	// of values outside the range, the rise of the missing values; 1 for a stuck one.
	Effect float64 `json:"effect"`
	// Score ranks: Effect over the greatest D that is plausible for this feature, by
	// its own variation in the reference.
	Score   float64 `json:"score"`
	D       float64 `json:"d"`       // Kolmogorov and Smirnov's
	PSI     float64 `json:"psi"`     // of the window with the higher score
	Outside float64 `json:"outside"` // rate of values outside the range
	Before  Summary `json:"before"`
	After   Summary `json:"after"`
}

// Summary describes the values of a feature in a few numbers. Quantiles are those of
// the bins: the least value of the bin they fall into.
type Summary struct {
	Values  int64   `json:"values"`
	Missing int64   `json:"missing,omitempty"`
	Least   float64 `json:"least"`
	Q05     float64 `json:"q05"`
	Median  float64 `json:"median"`
	Q95     float64 `json:"q95"`
	// Greatest and Least of the present are those of outliers and of values whose bins
	// were empty; others lie between them or in the same bins.
	Greatest float64 `json:"greatest"`
}

// Moved lists the features that have moved, the most important first: those that were
// constant in the reference, since a model cannot have learned what they mean; then
// by score.
func (m *Monitor) Moved() []Movement {
	all := []Movement{}
	for i := range m.features {
		if m.features[i].moved != 0 {
			all = append(all, m.movement(i))
		}
	}
	slices.SortStableFunc(all, func(a, b Movement) int {
		if a.Constant != b.Constant {
			if a.Constant {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Effect, a.Effect))
	})
	return all
}

func (m *Monitor) movement(i int) Movement {
	f, w := &m.features[i], &m.watched[i]
	k := m.blockLook(i)
	if len(m.lengths) > 1 {
		at := 0
		for at+1 < len(m.lengths) && m.lengths[at+1] <= m.inWindow {
			at++
		}
		if l := m.windowLook(i, at); l.score > k.score {
			k = l
		}
	}
	if w.stuck > 0 && f.run.longest >= w.stuck && k.effect < 1 {
		k.score /= max(k.effect, 1e-9)
		k.effect = 1
	}
	v := Movement{
		Feature: i, Name: w.Name, Tests: f.moved.Names(),
		Constant: w.Constant() && k.outside > 0,
		Effect:   round4(k.effect), Score: round4(k.score), D: round4(k.d), PSI: round4(k.psi), Outside: round4(k.outside),
		Before: w.summary(&w.Counts, w.Lo, w.Hi),
	}
	h := m.Histogram(i)
	v.After = w.summary(&h, f.least, f.greatest)
	return v
}

// Histogram is a copy of a feature's counts in the present window. Those of several
// devices with the same reference merge.
func (m *Monitor) Histogram(feature int) Histogram {
	f := &m.features[feature]
	h := Histogram{Missing: uint32(f.windowMissing)}
	for i, c := range f.window {
		h.Counts[i] = uint32(c)
	}
	return h
}

func (w *watch) summary(h *Histogram, least, greatest float64) Summary {
	s := Summary{Values: h.N(), Missing: int64(h.Missing)}
	if s.Values == 0 {
		return s
	}
	s.Least, s.Greatest = least, greatest
	s.Q05, s.Median, s.Q95 = w.quantile(h, 0.05, s), w.quantile(h, 0.5, s), w.quantile(h, 0.95, s)
	return s
}

// quantile is the value of the bin that holds the quantile; of an outer bin the
// extreme itself.
func (w *watch) quantile(h *Histogram, q float64, s Summary) float64 {
	left := q * float64(s.Values)
	for i, c := range h.Counts {
		left -= float64(c)
		if left > 0 || c == 0 {
			continue
		}
		switch {
		case w.Type == Float && i == 0:
			return s.Least
		case w.Type == Float && i == Bins-1:
			return s.Greatest
		}
		return w.value(i)
	}
	return s.Greatest
}
