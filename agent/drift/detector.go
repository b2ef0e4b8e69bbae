package drift

import "errors"

// Detector watches a signal in which lower is worse, one sample at a time.
//
// A detector goes on accumulating after an alarm and says Drift for as long as its
// statistic stands at the threshold or beyond; whoever counts alarms calls Reset
// after each one. (Those that imitate river or MOA reset themselves, as these do.)
// [Kinds] is the table of all detectors.
type Detector interface {
	// Name is the detector's fixed name, e.g. [PageHinkley].
	Name() string
	// Update takes one sample and returns Stable, Warning or Drift. A NaN or an
	// infinity is skipped: the state does not change. It allocates nothing.
	Update(x float64) State
	// Statistic is the evidence after the last Update, comparable with Threshold.
	Statistic() float64
	// Threshold is the statistic's value that means an alarm.
	Threshold() float64
	// Reset forgets every sample; parameters and reference stay.
	Reset()
	// Explain says what the detector does and how it stands; it allocates.
	Explain() Account
	// Snapshot encodes the parameters and the state, versioned.
	Snapshot() []byte
	// Restore takes the state out of a Snapshot of a detector of the same kind,
	// version and parameters. On any error the detector is unchanged.
	Restore(snapshot []byte) error
}

// The detectors' names, as configuration and reports use them.
const (
	// PageHinkley with a frozen reference mean on the 1/256 lattice: [Frozen].
	PageHinkley = "page-hinkley"
	// PageHinkleyRiver is the textbook running-mean form, as in river: [River].
	PageHinkleyRiver = "page-hinkley-river"
	// EDetector is the Shiryaev-Roberts e-detector for a bounded mean: [ESR].
	EDetector = "e-sr"
	// CUSUM is the tabular CUSUM over its own first samples, as in river: [Cusum].
	CUSUM = "cusum"
	// ADWIN is the adaptive window, as in river or MOA: [Adwin].
	ADWIN = "adwin"
	// PageHinkleyMOA is the textbook form of MOA, for comparison: [MOA].
	PageHinkleyMOA = "page-hinkley-moa"
	// DriftDetectionMethod watches errors, for comparison: [DDM].
	DriftDetectionMethod = "ddm"
)

// Refusals of Restore.
var (
	// ErrSnapshotVersion: written by another version of the format.
	ErrSnapshotVersion = errors.New("snapshot of another version")
	// ErrSnapshotDetector: written by another kind of detector.
	ErrSnapshotDetector = errors.New("snapshot of another detector")
	// ErrSnapshotParameters: written under other parameters or another reference,
	// so that its statistics mean nothing here.
	ErrSnapshotParameters = errors.New("snapshot under other parameters")
	// ErrSnapshotDamaged: too short, too long, or with impossible values.
	ErrSnapshotDamaged = errors.New("snapshot damaged")
)

// Refusals of parameters and references.
var (
	// ErrUnknownDetector: no detector has that name.
	ErrUnknownDetector = errors.New("unknown detector")
	// ErrParameter: a parameter is outside its range.
	ErrParameter = errors.New("parameter out of range")
	// ErrReference: a reference is not one that NewReference can have made.
	ErrReference = errors.New("invalid reference")
)
