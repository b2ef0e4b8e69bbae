// Package trust holds the signed documents that decide which model a device
// may run, and the bundle that carries the model itself.
//
// Three roles sign (Uptane's split, with TUF's client rules):
//
//   - root, kept offline, says which keys hold which role;
//   - release says that a bundle is a properly made model;
//   - assign says which device runs which release.
//
// A stolen assign key can therefore only choose among models that the release
// key has signed. Every document travels in a DSSE envelope (see Envelope),
// is verified before it is parsed, and is at most MaxPayload bytes long.
//
// The device's first call is OpenRoot with the root document that it was
// enrolled with; everything else is verified through the Root that it returns.
// The package does no I/O and keeps no state: all functions may be called
// concurrently, and a *Root is read-only once made.
package trust

import "errors"

// MaxPayload is the size limit of a document in bytes, before base64.
const MaxPayload = 16 << 10

// maxEnvelope bounds an envelope: base64 adds a third, and the signatures of
// maxSignatures keys have to fit beside the payload.
const maxEnvelope = 32 << 10

// Payload types, one for every kind of document.
const (
	TypeRoot      = "application/vnd.kedge.root+json"
	TypeRelease   = "application/vnd.kedge.release+json"
	TypeAssign    = "application/vnd.kedge.assign+json"
	TypeReference = "application/vnd.kedge.reference+json"
)

// A Role is a duty that root gives to keys.
type Role string

// The roles of a Root.
const (
	RoleRoot    Role = "root"
	RoleRelease Role = "release"
	RoleAssign  Role = "assign"
)

// Errors from verifying a document.
var (
	// ErrMalformed: the bytes are not a document of the expected form.
	ErrMalformed = errors.New("malformed document")
	// ErrTooLarge: the document exceeds MaxPayload, or the bundle a limit of its own.
	ErrTooLarge = errors.New("too large")
	// ErrPayloadType: the envelope holds another kind of document.
	ErrPayloadType = errors.New("unexpected payload type")
	// ErrSignature: fewer valid signatures of the role's keys than its threshold.
	ErrSignature = errors.New("not signed by enough trusted keys")
	// ErrRootVersion: a new root does not follow the present one directly.
	ErrRootVersion = errors.New("root version does not follow the present one")
)

// Errors from checking a bundle against its release.
var (
	// ErrDigest: the bytes are not those that were signed.
	ErrDigest = errors.New("digest differs from the signed one")
	// ErrBundle: the archive lacks a required file or breaks a limit.
	ErrBundle = errors.New("bad bundle")
)
