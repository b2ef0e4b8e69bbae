package report

import (
	"fmt"

	"kedge/quant/calib"
)

// rule finds one cause; ok is false where it does not apply.
type rule struct {
	kind   string
	find   func(m *making, l *Layer) (found string, ok bool)
	advice string
}

// The thresholds of the rules.
const (
	outlierFactor  = 4     // the range in parts of what 99.9 % of the values need
	clippedShare   = 0.001 // of the values
	wastedFactor   = 2     // the integer range in parts of the float one
	channelSpread  = 8     // widest channel in parts of the narrowest, under one scale
	filterSpread   = 64    // the same where every channel has a scale
	inheritedDrop  = 1     // dB between the worst input and the result
	inheritedLimit = 30    // dB of the worst input
)

// rules are asked in this order.
var rules = []rule{
	{"one scale for unequal channels", unequalChannels,
		"Quantize the weights per channel; where the device cannot, equalize the channels of neighboring layers first."},
	{"clipped values", clipped,
		"Calibrate with more samples of the kinds that go highest, or take --method minmax, which covers all that was seen."},
	{"outliers", outliers,
		"Try --method percentile or mse, which give up the outermost values for a finer step; a clamped activation (RELU6) in training removes them."},
	{"range wider than needed", wasted,
		"Calibrate again on samples like these; the range came from others, or from another converter."},
	{"wide spread of filters", wideFilters,
		"The weights have a scale each, but their results share one: narrow channels get few steps. Equalize the layer with the next one, or keep this layer in int16."},
	{"prescribed output", prescribed,
		"The operator's scale is fixed by the specification and leaves nothing to calibrate. Take the logits before it where more than the winner counts, or keep it in float."},
	{"few calibration samples", fewSamples,
		"Calibrate with more samples, of every kind that will occur."},
	{"inherited error", inherited,
		"Most of the error is made further up: begin with the layers that feed this one."},
}

// causes explains a layer.
func (m *making) causes(l *Layer) []Cause {
	var out []Cause
	for _, r := range rules {
		if found, ok := r.find(m, l); ok {
			out = append(out, Cause{r.kind, found, r.advice})
		}
	}
	if out == nil {
		out = append(out, Cause{"rounding", ordinary(l),
			"Bias correction (--method auto tries it) takes off the mean of it; int16 activations, or this layer in float, the rest."})
	}
	return out
}

func unequalChannels(_ *making, l *Layer) (string, bool) {
	w := l.Weights
	if w == nil || w.Spread == nil || len(w.Scales) != 1 || len(w.Ranges) < 2 || *w.Spread < channelSpread {
		return "", false
	}
	return fmt.Sprintf("One scale, %.3g, for %d channels, of which the widest reaches %.0f times as far as the narrowest: that one has %.3g of 127 steps.",
		w.Scales[0], len(w.Ranges), *w.Spread, 127 / *w.Spread), true
}

func clipped(_ *making, l *Layer) (string, bool) {
	if l.Clipped == nil || *l.Clipped < clippedShare || isPrescribed(l.Operator) {
		return "", false
	}
	return fmt.Sprintf("%.2f %% of the values lie outside of %.4g to %.4g and are clipped; the float network goes from %.4g to %.4g.",
		100**l.Clipped, *l.QuantMin, *l.QuantMax, l.Min, l.Max), true
}

func outliers(_ *making, l *Layer) (string, bool) {
	if l.QuantMin == nil || !l.outliers.known {
		return "", false
	}
	low, high := min(l.outliers.low, 0), max(l.outliers.high, 0)
	all, most := *l.QuantMax-*l.QuantMin, high-low
	// What no value needs is no outlier's doing.
	seen := float64(max(l.Max, 0)) - float64(min(l.Min, 0))
	if most <= 0 || min(all, seen) < outlierFactor*most {
		return "", false
	}
	return fmt.Sprintf("99.9 %% of the values lie between %.4g and %.4g, in %.0f %% of the range %.4g to %.4g: the steps beyond serve the outermost thousandth.",
		low, high, 100*most/all, *l.QuantMin, *l.QuantMax), true
}

func wasted(_ *making, l *Layer) (string, bool) {
	if l.QuantMin == nil || isPrescribed(l.Operator) {
		return "", false
	}
	all, seen := *l.QuantMax-*l.QuantMin, float64(max(l.Max, 0))-float64(min(l.Min, 0))
	if seen <= 0 || all < wastedFactor*seen {
		return "", false
	}
	return fmt.Sprintf("The range %.4g to %.4g is %.1f times as wide as what the samples need, %.4g to %.4g.", *l.QuantMin, *l.QuantMax, all/seen, l.Min, l.Max), true
}

func wideFilters(_ *making, l *Layer) (string, bool) {
	w := l.Weights
	if w == nil || w.Spread == nil || len(w.Scales) < 2 || *w.Spread < filterSpread {
		return "", false
	}
	return fmt.Sprintf("The widest of %d channels reaches %.0f times as far as the narrowest.", len(w.Ranges), *w.Spread), true
}

func prescribed(_ *making, l *Layer) (string, bool) {
	if !isPrescribed(l.Operator) || l.Scale == nil {
		return "", false
	}
	return fmt.Sprintf("%s has the scale %.4g by definition.", l.Operator, *l.Scale), true
}

func isPrescribed(operator string) bool {
	switch operator {
	case "SOFTMAX", "LOG_SOFTMAX", "LOGISTIC", "TANH", "L2_NORMALIZATION":
		return true
	}
	return false
}

func fewSamples(m *making, _ *Layer) (string, bool) {
	n := m.Statistics.Samples
	if !m.ownSamples || n >= calib.Enough {
		return "", false
	}
	return fmt.Sprintf("The ranges rest on %d samples; %d or more are asked for.", n, calib.Enough), true
}

func inherited(_ *making, l *Layer) (string, bool) {
	if d := l.drop(); d == nil || *d >= inheritedDrop || *l.input >= inheritedLimit {
		return "", false
	}
	return fmt.Sprintf("What it reads has a ratio of %.1f dB already, its result %.1f dB.", *l.input, *l.SQNR), true
}

// ordinary says how large the steps are.
func ordinary(l *Layer) string {
	if l.Scale == nil {
		return "No rule applies, and its result has no scale of its own in the integer model."
	}
	return fmt.Sprintf("Nothing stands out: a step is %.4g in a range from %.4g to %.4g; the values go from %.4g to %.4g.", *l.Scale, *l.QuantMin, *l.QuantMax, l.Min, l.Max)
}
