package agent

import (
	"math"

	"kedge/agent/drift/estimate"
	"kedge/telemetry/wire"
)

// estimated translates an estimate; nil stays nil.
func estimated(e *estimate.Estimate) *wire.Estimate {
	if e == nil {
		return nil
	}
	out := &wire.Estimate{
		Kind: e.Kind, Window: estimate.Size, N: uint64(e.N),
		Lost: wire.Bounded{Value: e.Score, Low: e.Lost.Low, High: e.Lost.High},
	}
	if !math.IsNaN(e.Accuracy) {
		out.Accuracy = &wire.Bounded{Value: e.Accuracy, Low: e.Interval.Low, High: e.Interval.High}
	}
	return out
}
