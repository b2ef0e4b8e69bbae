// Package release makes and keeps what devices trust: the keys, the signed
// documents, the bundles and the certificates.
//
// [Init] makes a folder of keys once; [LoadKeys] reads what the centre needs of
// it while it runs, and [Rotate] replaces keys. A [Registry] signs with them:
// [Registry.Release] turns a model into a bundle and a signed release,
// [Registry.Assign] says who runs it, [Registry.SignReference] what its signal looks
// like on one device.
//
// What a Registry signs it first verifies as a device would, so that a centre
// with a foreign or outdated key says so itself instead of being refused
// everywhere. Versions and sequences are drawn in the same transaction that
// keeps the document: two processes on one store cannot give out the same.
//
// A Registry and a *Keys may be used by many goroutines.
package release

import (
	"errors"
	"fmt"
)

// Errors of keys and certificates.
var (
	// ErrKeysExist: the folder holds keys already.
	ErrKeysExist = errors.New("keys exist already")
	// ErrNoKey: no key in the folder has the role that the root document gives.
	ErrNoKey = errors.New("no key for the role")
	// ErrDamaged: a file of keys, roots or certificates does not hold what it should.
	ErrDamaged = errors.New("is damaged")
	// ErrRequest: a certificate request that cannot be granted.
	ErrRequest = errors.New("bad certificate request")
)

// ErrCandidate: a model that cannot be released as it is.
var ErrCandidate = errors.New("not fit for release")

// Parts of a candidate.
const (
	PartName      = "name"
	PartModel     = "model"
	PartFeatures  = "features"
	PartLabels    = "labels"
	PartReference = "reference"
	PartGolden    = "golden"
)

// A CandidateError says which part of a candidate is not fit for release, so that
// whoever has it from a file can name that. It matches ErrCandidate.
type CandidateError struct {
	Part string
	Err  error
}

func (e *CandidateError) Error() string {
	return e.Part + " " + ErrCandidate.Error() + ": " + e.Err.Error()
}
func (e *CandidateError) Unwrap() []error { return []error{ErrCandidate, e.Err} }

// unfit makes a CandidateError.
func unfit(part, format string, args ...any) error {
	return &CandidateError{Part: part, Err: fmt.Errorf(format, args...)}
}
