// Package store keeps the centre's state: base data sets, devices, the samples
// they sent and the labels that came later, drift reports, releases and
// assignments in one SQLite database, and the bytes of bundles as files beside it.
//
// The first call is [Open]. All reading and writing of the database goes through
// [Store.View] and [Store.Update], whose functions get a [Tx]: what one Update
// does is done as a whole or not at all, also when the process is killed in it,
// and is on the disk when Update returns. Blobs are content-addressed, so they
// are written first and need no transaction.
//
// A Store may be used by many goroutines, and the same folder by several
// processes: a command that assigns a release works while the server runs.
// A Tx belongs to the function that got it.
package store

import "errors"

// Errors that callers tell apart.
var (
	// ErrNotFound: no such row or blob.
	ErrNotFound = errors.New("not found")
	// ErrExists: a row with that key is there already.
	ErrExists = errors.New("exists already")
	// ErrSchema: the database was made by a later version.
	ErrSchema = errors.New("unknown schema version")
	// ErrDamaged: the database cannot be read.
	ErrDamaged = errors.New("is damaged")
	// ErrDigest: a blob's bytes are not what its name says.
	ErrDigest = errors.New("content differs from its digest")
)
