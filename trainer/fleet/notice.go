package fleet

import "time"

// A Kind names what a notice is about.
type Kind string

// Kinds of notices.
const (
	Online           Kind = "online"            // a device came
	Offline          Kind = "offline"           // a device went
	Drift            Kind = "drift"             // a device reported drift
	Evidence         Kind = "evidence"          // all samples around an alarm have arrived
	Labeled          Kind = "labeled"           // samples got their labels
	Corrected        Kind = "corrected"         // samples got other labels than they had
	Training         Kind = "training"          // a training began
	DriftScore       Kind = "drift_score"       // how much accuracy the labels around an alarm say was lost
	UnknownClass     Kind = "unknown_class"     // labels that a training cannot use: the model has no such class
	Trained          Kind = "trained"           // it ended with a model
	Rejected         Kind = "rejected"          // it ended without one that is better, or failed and is tried again
	Released         Kind = "released"          // a model was signed
	Assigned         Kind = "assigned"          // a device or group is to run it
	Progress         Kind = "progress"          // a device goes on with an update
	Committed        Kind = "committed"         // a device runs it
	Refused          Kind = "refused"           // a device refused it, or took the old one back
	Referenced       Kind = "referenced"        // a device's new reference was signed
	ReferenceRefused Kind = "reference_refused" // or was not
	Health           Kind = "health"            // a device has something to say to people
	Audit            Kind = "audit"             // a person did something to a device
)

// A Notice tells whoever watches the centre what happened. Fields that do not
// concern its kind are zero.
type Notice struct {
	Time   time.Time `json:"time"`
	Kind   Kind      `json:"kind"`
	Site   string    `json:"site"`
	Device string    `json:"device,omitempty"` // absent where labels came from a source of truth
	Text   string    `json:"text"`             // a sentence without a full stop

	Name     string  `json:"name,omitempty"` // of the model
	Version  uint64  `json:"version,omitempty"`
	Release  string  `json:"release,omitempty"`  // digest of the document
	Sample   string  `json:"sample,omitempty"`   // Drift: where the alarm was raised
	Samples  int     `json:"samples,omitempty"`  // Evidence, Trained, Referenced, Audit: how many
	Labels   int     `json:"labels,omitempty"`   // Labeled: how many more samples have one; Corrected: how many have another; Training: of this alarm, usable; UnknownClass: of this alarm, not usable; Trained: in all
	Seconds  float64 `json:"seconds,omitempty"`  // Trained, Rejected
	Accuracy float64 `json:"accuracy,omitempty"` // Trained, Rejected: the new model's on labeled samples that it did not see
	Running  float64 `json:"running,omitempty"`  // Trained, Rejected: the running model's on samples of the same alarm
	Bytes    int64   `json:"bytes,omitempty"`    // Progress, Committed, Refused: received by the device for the update
	Code     string  `json:"code,omitempty"`     // Progress, Committed, Refused, Health: the device's event code
	State    string  `json:"state,omitempty"`    // Progress, Committed, Refused: the device's state of the update
	Weak     bool    `json:"weak,omitempty"`     // Drift, Released: the reference is too small for the promise
}
