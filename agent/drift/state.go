package drift

import "fmt"

// State is what a detector or a monitor thinks of its signal.
type State uint8

// The states in the order in which a monitor passes through them. A detector by
// itself only knows Stable, Warning and Drift.
const (
	// Learning: no usable reference yet; samples are being collected.
	Learning State = iota
	// Stable: nothing suspicious.
	Stable
	// Warning: the statistic has come near its threshold ([WarnRatio]).
	Warning
	// Drift: this very update raised an alarm.
	Drift
	// Latched: an alarm was raised earlier and no new reference has come.
	Latched
)

// WarnRatio is the share of its threshold at which a detector's statistic is a
// warning. A monitor leaves Warning only below [CalmRatio], so that a statistic
// that hovers does not flap.
const (
	WarnRatio = 0.75
	CalmRatio = 0.5
)

var stateNames = [...]string{"learning", "stable", "warning", "drift", "latched"}

// String returns the lower-case name that reports and consoles show.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// MarshalText writes the name, so that JSON carries words.
func (s State) MarshalText() ([]byte, error) {
	if int(s) >= len(stateNames) {
		return nil, fmt.Errorf("drift: unknown state %d", uint8(s))
	}
	return []byte(stateNames[s]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if string(text) == name {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("drift: unknown state %q", text)
}

// stateOf grades a statistic against its threshold.
func stateOf(statistic, threshold float64) State {
	switch {
	case statistic >= threshold:
		return Drift
	case statistic >= WarnRatio*threshold:
		return Warning
	default:
		return Stable
	}
}
