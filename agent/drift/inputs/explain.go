package inputs

import "kedge/agent/drift"

// Explanation is the evidence that a drift report carries.
type Explanation struct {
	State      drift.State `json:"state"`
	Rows       int64       `json:"rows"`                  // since the reference is in force
	ARL        float64     `json:"arl"`                   // rows between false alarms asked for
	Alarms     int64       `json:"alarms"`                // rows that raised an alarm, the first one included
	FirstAlarm int64       `json:"first_alarm,omitempty"` // Rows at the first alarm
	ReferenceN int64       `json:"reference_n"`
	Weak       bool        `json:"weak"`
	// Blind names the features whose rows depend on each other so much that the
	// reference is too short to tell any change of distribution from chance: only values
	// far outside the range, missing ones and a stuck one are noticed.
	Blind []string   `json:"blind,omitempty"`
	Moved []Movement `json:"moved"` // see [Monitor.Moved]
}

// Explain returns the evidence as it stands; all of it is a copy.
func (m *Monitor) Explain() Explanation {
	e := Explanation{
		State: m.state, Rows: m.rows, ARL: m.arl, Alarms: m.alarms, FirstAlarm: m.first,
		ReferenceN: m.ref.N, Weak: m.ref.Weak(), Moved: m.Moved(),
	}
	for i := range m.watched {
		if w := &m.watched[i]; w.blind() {
			e.Blind = append(e.Blind, w.Name)
		}
	}
	return e
}

// blind reports whether no window can differ enough for an alarm, were all of its
// values on one side of the reference's, and none of its values in its range.
func (w *watch) blind() bool {
	for i := range w.lengths {
		l := &w.lengths[i]
		if l.threshold(l.rows) < 1 || float64(l.rows)/l.ks*divergence(1, l.outside) >= l.evidence {
			return false
		}
	}
	return true
}
