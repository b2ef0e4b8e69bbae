package update

import "errors"

// Errors from opening the state directory.
var (
	// ErrNotEnrolled: the state directory has no root document.
	ErrNotEnrolled = errors.New("device is not enrolled")
	// ErrNoModel: no slot holds a model that verifies.
	ErrNoModel = errors.New("no model installed")
)

// Errors from judging an assignment.
var (
	// ErrForeign: the assignment is for another site, device or group.
	ErrForeign = errors.New("not for this device")
	// ErrReplayed: an assignment with a higher sequence number, or with the same
	// number for another release, was seen before.
	ErrReplayed = errors.New("replayed assignment")
	// ErrExpired: the assignment's time is over.
	ErrExpired = errors.New("assignment has expired")
)

// Errors from judging a release and its model. Those of package trust (a wrong
// signature or digest, a malformed document) come beside them.
var (
	// ErrUnsupported: this platform, agent version or runtime cannot run it, or the
	// agent cannot serve it.
	ErrUnsupported = errors.New("not supported on this device")
	// ErrFloor: the version is below the security floor of its name.
	ErrFloor = errors.New("below the security floor")
	// ErrMismatch: the model's inputs, outputs, features or labels are not those that were signed.
	ErrMismatch = errors.New("model and release disagree")
	// ErrGolden: the model computes other bytes here than where it was made.
	ErrGolden = errors.New("golden self-test failed")
	// ErrActivate: the model could not be put into service.
	ErrActivate = errors.New("model could not be put into service")
)

// Errors from getting and storing an update. They end in another attempt.
var (
	// ErrStorage: a file could not be written or read.
	ErrStorage = errors.New("storage failed")
	// ErrChunks: too many chunks that are not the signed ones.
	ErrChunks = errors.New("chunks are not the signed ones")
)
