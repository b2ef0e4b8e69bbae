package wire

import "time"

// State says whether a device is there. It is retained; the will carries the
// same message with Online false. Boot and Session tell an old session's will
// from the present session: a State whose Boot is known to be older, or whose
// Session is lower at the same Boot, is to be ignored.
type State struct {
	V       int       `json:"v"`
	Device  string    `json:"device"`
	Boot    string    `json:"boot"`
	Session uint64    `json:"session"` // counts the connections since that boot, from 1
	Online  bool      `json:"online"`
	Time    time.Time `json:"time"` // when the session began
}

// Check implements Message.
func (s *State) Check() error {
	if s.V != Version || CheckName(s.Device) != nil || CheckName(s.Boot) != nil || s.Session == 0 {
		return malformed("version %d, device %.64q, boot %.64q, session %d", s.V, s.Device, s.Boot, s.Session)
	}
	return nil
}

// A ModelRef names a model version in messages.
type ModelRef struct {
	Name    string `json:"name"`
	Version uint64 `json:"version"`
	SHA256  string `json:"sha256"`            // of model.tflite
	Release string `json:"release,omitempty"` // DocumentDigest
	Slot    string `json:"slot,omitempty"`    // a or b
}

// Reported is a device's retained account of itself.
type Reported struct {
	V        int       `json:"v"`
	Device   string    `json:"device"`
	Boot     string    `json:"boot"`
	Time     time.Time `json:"time"`
	Agent    string    `json:"agent"`    // version of kedge
	Platform string    `json:"platform"` // GOOS/GOARCH
	Model    *ModelRef `json:"model,omitempty"`
	Drift    *Monitor  `json:"drift,omitempty"`
	Root     uint64    `json:"root"`     // version of the root document in force
	Assign   uint64    `json:"assign"`   // highest assignment sequence seen
	Counters Counters  `json:"counters"` // since the state directory was made
	// Maintenance is there while it lasts.
	Maintenance *Maintenance `json:"maintenance,omitempty"`
}

// A Monitor is the drift monitor in short.
type Monitor struct {
	State string `json:"state"` // learning, stable, warning, drift, latched or maintenance
	Weak  bool   `json:"weak"`  // the reference is too small for the promise
	N     uint64 `json:"n"`     // signals since the reference was taken
	// Estimate is as in a drift event.
	Estimate *Estimate `json:"estimate,omitempty"`
}

// A Maintenance is a time in which the device raises no alarm.
type Maintenance struct {
	Who     string    `json:"who"` // began it
	Why     string    `json:"why"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`   // when it ends by itself
	Samples uint64    `json:"samples"` // answered meanwhile
}

// Counters account for every record of the outbox: produced = sent + queued + dropped.
type Counters struct {
	Inferences uint64 `json:"inferences"`
	Rejected   uint64 `json:"rejected"` // inputs that were no valid sample
	Produced   uint64 `json:"produced"`
	Sent       uint64 `json:"sent"`
	Queued     uint64 `json:"queued"`
	Dropped    uint64 `json:"dropped"`
}

// Check implements Message.
func (r *Reported) Check() error {
	if r.V != Version || CheckName(r.Device) != nil || CheckName(r.Boot) != nil {
		return malformed("version %d, device %.64q, boot %.64q", r.V, r.Device, r.Boot)
	}
	return nil
}
