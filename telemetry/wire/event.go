package wire

import (
	"encoding/json"
	"fmt"
	"time"
)

// Kinds of events, the last level of their topic.
const (
	KindDrift     = "drift"
	KindUpdate    = "update"
	KindReference = "reference"
	KindHealth    = "health"
	KindAudit     = "audit"
)

// An Event is a CloudEvents 1.0 event in structured JSON mode
// (https://cloudevents.io), the only mode that MQTT 3.1.1 has room for.
type Event struct {
	SpecVersion     string          `json:"specversion"` // "1.0"
	ID              string          `json:"id"`          // unique per device; the centre drops repetitions by it
	Source          string          `json:"source"`      // /kedge/<site>/<device>; whoever reads it compares it with the topic
	Type            string          `json:"type"`        // kedge.<kind>.v1
	Time            time.Time       `json:"time"`
	DataContentType string          `json:"datacontenttype"` // "application/json"
	Data            json.RawMessage `json:"data"`
}

// NewEvent wraps data as an event of the kind. It fails with ErrTooLarge rather
// than make an event that no reader takes.
func NewEvent(t DeviceTopics, kind, id string, now time.Time, data Message) (*Event, error) {
	if err := data.Check(); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("encode %s event: %w", kind, err)
	}
	e := &Event{
		SpecVersion: "1.0", ID: id, Source: t.Source(),
		Type: EventType(kind), Time: now.UTC(), DataContentType: "application/json", Data: raw,
	}
	if err := e.Check(); err != nil {
		return nil, fmt.Errorf("%s event: %w", kind, err)
	}
	whole, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode %s event: %w", kind, err)
	}
	if len(whole) > MaxMessage {
		return nil, fmt.Errorf("%s event of %d bytes, at most %d: %w", kind, len(whole), MaxMessage, ErrTooLarge)
	}
	return e, nil
}

// EventType returns the CloudEvents type of a kind.
func EventType(kind string) string { return fmt.Sprintf("kedge.%s.v%d", kind, Version) }

// Check implements Message.
func (e *Event) Check() error {
	if e.SpecVersion != "1.0" || e.ID == "" || len(e.ID) > 256 || e.Source == "" || len(e.Source) > 256 || e.Type == "" || len(e.Data) == 0 {
		return malformed("specversion %.8q, id %.64q, source %.64q, type %.64q, %d bytes of data", e.SpecVersion, e.ID, e.Source, e.Type, len(e.Data))
	}
	return nil
}

// A Drift is the data of a drift event: an alarm and what led to it.
type Drift struct {
	Model ModelRef `json:"model"`
	// Sample is the id of the sample at which the alarm was raised.
	Sample string `json:"sample"`
	// N counts the signals since the reference was taken.
	N uint64 `json:"n"`
	// Alarm counts the alarms since the reference was taken, from 1.
	Alarm uint64 `json:"alarm"`
	// Fired names the detectors that raised it; those of a further signal after it,
	// "margin/e-sr", and the watch over the inputs as "inputs".
	Fired     []string    `json:"fired"`
	Weak      bool        `json:"weak"` // the reference is too small: the promise does not hold yet
	Promise   string      `json:"promise"`
	Detectors []Detector  `json:"detectors,omitempty"`
	Before    Window      `json:"before"` // the reference
	After     Window      `json:"after"`  // the samples that led to the alarm
	Evidence  EvidenceRef `json:"evidence"`
	// Signals holds the signals that are watched beside the first one, which is that
	// of Detectors, Before and After.
	Signals []Signal `json:"signals,omitempty"`
	// Inputs is there if the inputs are watched and not being learned.
	Inputs *Inputs `json:"inputs,omitempty"`
	// Context is there if the references have contexts.
	Context *Context `json:"context,omitempty"`
	// Estimate is there where something can be said of how right the model is.
	Estimate *Estimate `json:"estimate,omitempty"`
}

// A Context is the circumstance in which the sample of an alarm was taken.
type Context struct {
	Key     string `json:"key"`     // as the bundle declares it
	Value   string `json:"value"`   // of the sample
	Known   uint64 `json:"known"`   // values that the first signal's reference has
	Unknown uint64 `json:"unknown"` // samples in others, since that is in force
}

// An Estimate says how right a model may be by its latest confidences, without labels:
// an indicator, and no measured accuracy.
type Estimate struct {
	Kind   string `json:"kind"`   // atc or doc
	Window uint64 `json:"window"` // samples that it looks at
	N      uint64 `json:"n"`      // of these that there have been
	// Accuracy is left out where only its loss can be told.
	Accuracy *Bounded `json:"accuracy,omitempty"`
	// Lost is the drift score: the accuracy in training less that of the window.
	Lost Bounded `json:"lost"`
}

// A Bounded is a number with an interval that holds the true one in 95 of 100 cases.
type Bounded struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// A Signal is the account of a further signal.
type Signal struct {
	Name       string     `json:"name"`
	N          uint64     `json:"n"`           // signals since its reference is in force
	Mean       float64    `json:"mean"`        // of the latest, at most 100
	Reference  float64    `json:"reference"`   // mean of the reference
	ReferenceN uint64     `json:"reference_n"` // samples in it
	Weak       bool       `json:"weak"`        // its promise does not hold yet
	Detectors  []Detector `json:"detectors,omitempty"`
}

// Inputs is the account of the watch over the inputs.
type Inputs struct {
	Fired      bool   `json:"fired"`
	Promise    string `json:"promise"`
	ReferenceN uint64 `json:"reference_n"`
	Weak       bool   `json:"weak"`
	// Moved lists the features that moved, the most important first.
	Moved []Moved `json:"moved,omitempty"`
	// Histograms holds the present counts by feature, of all features or of those that
	// moved, as docs/protocol.md encodes them. Those of devices with one reference add up.
	Histograms map[string]string `json:"histograms,omitempty"`
}

// Moved is a feature whose values no longer look like those in training.
type Moved struct {
	Name     string   `json:"name"`
	Tests    []string `json:"tests"`              // that found it
	Constant bool     `json:"constant,omitempty"` // it had one value in training
	Effect   float64  `json:"effect"`             // share of the values that differ, 0 to 1
	PSI      float64  `json:"psi"`                // population stability index
	KS       float64  `json:"ks"`                 // distance of Kolmogorov and Smirnov
	Outside  float64  `json:"outside"`            // share outside the range in training
	Before   Values   `json:"before"`
	After    Values   `json:"after"`
}

// Values sums up a feature's values, in the sensor's units.
type Values struct {
	N       uint64  `json:"n"`
	Missing uint64  `json:"missing,omitempty"`
	Least   float64 `json:"least"`
	Q05     float64 `json:"q05"`
	Median  float64 `json:"median"`
	Q95     float64 `json:"q95"`
	Most    float64 `json:"most"`
}

// A Detector is one detector's account of an alarm.
type Detector struct {
	Name      string    `json:"name"`
	Statistic float64   `json:"statistic"`
	Threshold float64   `json:"threshold"`
	Fired     bool      `json:"fired"`
	Promise   string    `json:"promise"`
	Course    []float64 `json:"course,omitempty"` // the statistic's latest values, oldest first
}

// A Window sums up the signal, the answers and the inputs over some samples.
type Window struct {
	N          uint64            `json:"n"`
	SignalMean float64           `json:"signal_mean"`
	Classes    map[string]uint64 `json:"classes,omitempty"` // answers by class
	Inputs     []Input           `json:"inputs,omitempty"`  // by feature, the most moved first
}

// An Input is one feature's mean in standardized units: 0 is the training mean, 1 one deviation.
type Input struct {
	Name string  `json:"name"`
	Mean float64 `json:"mean"`
}

// An EvidenceRef announces the samples that are uploaded around an alarm.
type EvidenceRef struct {
	ID     string `json:"id"`
	Before int    `json:"before"` // samples up to and with the alarm's
	After  int    `json:"after"`  // samples captured after it
}

// Check implements Message.
func (d *Drift) Check() error {
	if _, err := ParseSampleID(d.Sample); err != nil {
		return err
	}
	if len(d.Fired) == 0 || CheckName(d.Evidence.ID) != nil || d.Evidence.Before < 0 || d.Evidence.After < 0 {
		return malformed("fired %q, evidence %+v", d.Fired, d.Evidence)
	}
	return nil
}

// States of an update, in order. Refused and RolledBack end it with the old model in service.
const (
	UpdateOffered     = "offered"
	UpdateDownloading = "downloading"
	UpdateStaged      = "staged"
	UpdateVerified    = "verified"
	UpdateCommitted   = "committed"
	UpdateRefused     = "refused"
	UpdateRolledBack  = "rolled_back"
)

// An Update is the data of an update event.
type Update struct {
	Release string `json:"release"` // DocumentDigest; empty if the assignment itself was refused
	Name    string `json:"name,omitempty"`
	Version uint64 `json:"version,omitempty"`
	State   string `json:"state"`
	Code    string `json:"code"`             // from the catalogue of events, K0405
	Reason  string `json:"reason,omitempty"` // why it was refused or rolled back
	Slot    string `json:"slot,omitempty"`   // in service now
	Bytes   int64  `json:"bytes,omitempty"`  // chunks received for it so far
}

var updateStates = map[string]bool{
	UpdateOffered: true, UpdateDownloading: true, UpdateStaged: true, UpdateVerified: true,
	UpdateCommitted: true, UpdateRefused: true, UpdateRolledBack: true,
}

// Check implements Message.
func (u *Update) Check() error {
	if !updateStates[u.State] {
		return malformed("state %.32q", u.State)
	}
	return nil
}

// A Reference is the data of a reference event: the first signals of a new
// model in service, for the centre to sign as the model's reference.
type Reference struct {
	Model ModelRef `json:"model"`
	// First is the id of the first sample; the others follow in sequence.
	First string `json:"first"`
	// Signals holds one byte per sample, base64 in JSON: floor(256 x signal), 0 to 255.
	Signals []byte `json:"signals"`
}

// Check implements Message.
func (r *Reference) Check() error {
	if _, err := ParseSampleID(r.First); err != nil {
		return err
	}
	if len(r.Signals) == 0 || r.Model.SHA256 == "" {
		return malformed("%d signals of model %.8q", len(r.Signals), r.Model.SHA256)
	}
	return nil
}

// A Health is the data of a health event: something that a person should know.
type Health struct {
	Code     string `json:"code"`
	Severity string `json:"severity"` // I, W or E
	Text     string `json:"text"`
	Do       string `json:"do,omitempty"`
	Count    uint64 `json:"count,omitempty"` // how often, or how many records are concerned
}

// Check implements Message.
func (h *Health) Check() error {
	if h.Code == "" || (h.Severity != "I" && h.Severity != "W" && h.Severity != "E") {
		return malformed("code %.16q, severity %.8q", h.Code, h.Severity)
	}
	return nil
}

// Actions of an Audit.
const (
	MaintenanceStarted = "maintenance_started"
	MaintenanceEnded   = "maintenance_ended"
)

// An Audit is the data of an audit event: what a person did to the device.
type Audit struct {
	Action string `json:"action"`
	Who    string `json:"who"` // 1 to 64 bytes; "kedge" for the device itself
	Why    string `json:"why,omitempty"`
	// Since is when the maintenance began, Until when it ends by itself, and Samples how
	// many were answered in it.
	Since   time.Time `json:"since,omitzero"`
	Until   time.Time `json:"until,omitzero"`
	Samples uint64    `json:"samples,omitempty"`
}

// Check implements Message.
func (a *Audit) Check() error {
	if a.Action == "" || len(a.Action) > 64 || a.Who == "" || len(a.Who) > 64 || len(a.Why) > 256 {
		return malformed("action %.80q by %.80q, %d bytes of why", a.Action, a.Who, len(a.Why))
	}
	return nil
}
