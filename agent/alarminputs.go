package agent

import (
	"log/slog"

	"kedge/agent/drift/inputs"
	"kedge/agent/pipeline"
	"kedge/telemetry/wire"
)

// histogramBytes bounds the histograms of a drift report, so that it fits into a
// message with all else.
const histogramBytes = 64 << 10

// inputReport translates the account of the watch over the inputs; with mu held.
func (a *agent) inputReport(r *pipeline.InputReport, fired bool) *wire.Inputs {
	out := &wire.Inputs{
		Fired: fired, ReferenceN: uint64(r.ReferenceN), Weak: r.Weak,
		Promise: promise(r.ARL, "all features and tests together"),
	}
	for _, m := range r.Moved[:min(len(r.Moved), maxMoved)] {
		out.Moved = append(out.Moved, wire.Moved{
			Name: m.Name, Tests: m.Tests, Constant: m.Constant, Effect: m.Effect, PSI: m.PSI, KS: m.D, Outside: m.Outside,
			Before: values(m.Before), After: values(m.After),
		})
	}
	out.Histograms = a.histograms(r)
	return out
}

// histograms encodes those of all features if they fit, else of the first that moved,
// as many as fit.
func (a *agent) histograms(r *pipeline.InputReport) map[string]string {
	names := a.serving.model.Features()
	all, size := make(map[string]string), 0
	add := func(feature int) bool {
		text, err := r.Histograms[feature].MarshalText()
		if err != nil {
			a.o.Log.Error("histogram cannot be encoded", slog.Any("error", err))
			return false
		}
		if size += len(text) + len(names[feature]) + 8; size > histogramBytes {
			return false
		}
		all[names[feature]] = string(text)
		return true
	}
	for i := range r.Histograms {
		if add(i) {
			continue
		}
		clear(all)
		size = 0
		for _, m := range r.Moved {
			if !add(m.Feature) {
				break
			}
		}
		break
	}
	return all
}

func values(s inputs.Summary) wire.Values {
	return wire.Values{
		N: uint64(s.Values), Missing: uint64(s.Missing), Least: s.Least, Q05: s.Q05, Median: s.Median, Q95: s.Q95, Most: s.Greatest,
	}
}
