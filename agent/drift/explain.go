package drift

// Account is what a detector says about itself.
type Account struct {
	Formula    string   `json:"formula"` // what it computes
	Parameters []Figure `json:"parameters"`
	State      []Figure `json:"state"` // after the last update, under the names of Kind.Stats
}

// Figure is a value with its name. Of a parameter that is a word, it is the word's
// place in Param.Words.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Explanation is the evidence that a drift report carries.
type Explanation struct {
	State   State `json:"state"`
	N       int64 `json:"n"`                 // inferences since the reference is in force
	Learned int   `json:"learned,omitempty"` // samples collected for want of a reference
	Skipped int64 `json:"skipped,omitempty"` // samples that were no number

	Contexts int   `json:"contexts,omitempty"`         // values of the context that have a reference
	Unknown  int64 `json:"unknown_contexts,omitempty"` // samples in other contexts

	ARL         float64  `json:"arl"`                   // run length asked for, all detectors together
	Alarms      int64    `json:"alarms"`                // updates that raised an alarm, the first one included
	FirstAlarm  int64    `json:"first_alarm,omitempty"` // n at the first alarm
	FirstFired  []string `json:"first_fired,omitempty"` // who raised it
	Mu0         float64  `json:"mu0"`                   // reference mean
	ReferenceN  int64    `json:"reference_n"`           // size of the reference
	Weak        bool     `json:"weak"`                  // too small, or learned here and vouched for by nobody
	Local       bool     `json:"local"`                 // learned here
	Correlation float64  `json:"lag1_autocorrelation"`  // of the reference
	Block       int      `json:"block"`                 // samples averaged because of it
	RecentMean  float64  `json:"recent_mean"`           // of the last RecentN samples
	RecentN     int      `json:"recent_n"`

	Detectors []DetectorExplanation `json:"detectors"`
	Course    []CoursePoint         `json:"course"` // oldest first
}

// DetectorExplanation is one detector's part of the evidence.
type DetectorExplanation struct {
	Name      string  `json:"name"`
	Statistic float64 `json:"statistic"`
	Threshold float64 `json:"threshold"`
	Alarms    int64   `json:"alarms"`
	ARL       float64 `json:"arl,omitempty"` // promised run length; absent without a promise
	Promise   string  `json:"promise"`       // the same in words
}

// CoursePoint is a moment of the course that led here.
type CoursePoint struct {
	N          int64     `json:"n"`          // inferences since the reference is in force
	Mean       float64   `json:"mean"`       // of the signal since the point before
	Statistics []float64 `json:"statistics"` // one per detector, in their order
}

// Explain returns the evidence as it stands; all of it is a copy.
func (m *Monitor) Explain() Explanation {
	e := Explanation{
		State: m.state, N: m.n, Learned: len(m.learned), Skipped: m.skipped,
		Contexts: len(m.ref.Contexts), Unknown: m.unknown,
		ARL: m.opts.ARL, Alarms: m.alarms, FirstAlarm: m.first,
		FirstFired: append([]string(nil), m.fired...),
		Mu0:        m.ref.Mean(), ReferenceN: m.ref.N,
		Weak: m.ref.Weak() || m.local(), Local: m.local(),
		Block: m.ref.BlockLength(), RecentMean: m.recent.mean(), RecentN: m.recent.n,
		Detectors: make([]DetectorExplanation, 0, len(m.watched)),
		Course:    m.course.points(),
	}
	if len(m.ref.Lags) > 0 {
		e.Correlation = m.ref.Lags[0]
	}
	for i := range m.watched {
		w := &m.watched[i]
		e.Detectors = append(e.Detectors, DetectorExplanation{
			Name: w.name(), Statistic: w.Statistic(), Threshold: w.Threshold(),
			Alarms: w.alarms, ARL: w.promise.arl, Promise: w.promise.text,
		})
	}
	return e
}
