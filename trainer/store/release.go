package store

import (
	"database/sql"
	"fmt"
	"math"
	"time"
)

// A Release is a signed release and what it was made from.
type Release struct {
	Digest   string // of the signed document, its name everywhere
	Name     string
	Version  uint64
	Model    string // SHA-256 of model.tflite
	Bundle   string // blob
	Index    string // blob: the bundle's chunk index
	Envelope []byte
	// Weights is the network before quantization, from which training goes on;
	// nil if it is not known.
	Weights []byte
	// Accuracy on samples that the model was not trained on; NaN if unknown.
	Accuracy float64
	Created  time.Time
}

const releaseColumns = "digest, name, version, model, bundle, index_, envelope, weights, accuracy, created"

func scanRelease(s scanner) (Release, error) {
	var r Release
	var version, created int64
	var accuracy sql.NullFloat64
	err := s.Scan(&r.Digest, &r.Name, &version, &r.Model, &r.Bundle, &r.Index, &r.Envelope, &r.Weights, &accuracy, &created)
	r.Version, r.Created, r.Accuracy = uint64(version), fromNano(created), math.NaN()
	if accuracy.Valid {
		r.Accuracy = accuracy.Float64
	}
	return r, err
}

// NextVersion returns the version that the next release of the name gets.
func (t *Tx) NextVersion(name string) (uint64, error) {
	var last int64
	err := t.row("releases of "+name, "SELECT COALESCE(MAX(version), 0) FROM releases WHERE name = ?", []any{name}, &last)
	return uint64(last) + 1, err
}

// AddRelease keeps a new release; ErrExists if its digest or its version is there.
func (t *Tx) AddRelease(r Release) error {
	accuracy := sql.NullFloat64{Float64: r.Accuracy, Valid: !math.IsNaN(r.Accuracy)}
	n, err := t.exec("release "+r.Name, "INSERT INTO releases ("+releaseColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		r.Digest, r.Name, int64(r.Version), r.Model, r.Bundle, r.Index, r.Envelope, r.Weights, accuracy, nano(r.Created))
	if err == nil && n == 0 {
		err = fmt.Errorf("store: release %s version %d: %w", r.Name, r.Version, ErrExists)
	}
	return err
}

// Release returns the release with that digest.
func (t *Tx) Release(digest string) (Release, error) {
	return one(t, "release "+digest, scanRelease, "SELECT "+releaseColumns+" FROM releases WHERE digest = ?", digest)
}

// ReleaseOfModel returns the newest release that carries the model.
func (t *Tx) ReleaseOfModel(sha256 string) (Release, error) {
	return one(t, "release of model "+sha256, scanRelease,
		"SELECT "+releaseColumns+" FROM releases WHERE model = ? ORDER BY created DESC, version DESC LIMIT 1", sha256)
}

// LatestRelease returns the highest version of the name.
func (t *Tx) LatestRelease(name string) (Release, error) {
	return one(t, "release of "+name, scanRelease,
		"SELECT "+releaseColumns+" FROM releases WHERE name = ? ORDER BY version DESC LIMIT 1", name)
}

// Releases returns all releases of a name, or of every name if it is empty, ascending.
func (t *Tx) Releases(name string) ([]Release, error) {
	return rows(t, "releases", scanRelease,
		"SELECT "+releaseColumns+" FROM releases WHERE name = ? OR ? = '' ORDER BY name, version", name, name)
}

// one reads a single row; none is ErrNotFound.
func one[T any](t *Tx, what string, scan func(scanner) (T, error), query string, args ...any) (T, error) {
	var none T
	all, err := rows(t, what, scan, query, args...)
	if err != nil {
		return none, err
	}
	if len(all) == 0 {
		return none, fmt.Errorf("store: %s: %w", what, ErrNotFound)
	}
	return all[0], nil
}
