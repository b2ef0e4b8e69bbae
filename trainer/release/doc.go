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

import "errors"

// Errors of keys and certificates.
var (
	// ErrKeysExist: the folder holds keys already.
	ErrKeysExist = errors.New("keys exist already")
	// ErrNoKey: no key in the folder has the role that the root document gives.
	ErrNoKey = errors.New("no key for the role")
	// ErrRequest: a certificate request that cannot be granted.
	ErrRequest = errors.New("bad certificate request")
)

// ErrCandidate: a model that cannot be released as it is.
var ErrCandidate = errors.New("not fit for release")
