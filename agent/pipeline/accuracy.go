package pipeline

import (
	"kedge/agent/drift/estimate"
	"kedge/agent/drift/signal"
)

// estimate is how right the model may be by the latest confidences; nil where nothing
// can be said.
func (m *Model) estimate() *estimate.Estimate {
	var e estimate.Estimate
	var ok bool
	inflation := 1.0
	for _, w := range m.watches {
		if w.signal.Name != signal.Top1 || len(m.labels) == 0 {
			continue
		}
		ref := w.monitor.Reference()
		inflation = ref.Inflation()
		if m.atc == nil {
			e, ok = m.window.DoC(ref.Mean(), ref.Std(), ref.N, inflation)
		}
	}
	if m.atc != nil && len(m.labels) > 0 {
		e, ok = m.window.ATC(m.atc, inflation)
	}
	if !ok {
		return nil
	}
	return &e
}
