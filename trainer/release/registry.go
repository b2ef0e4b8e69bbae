package release

import (
	"context"
	"fmt"
	"time"

	"kedge/telemetry/trust"
	"kedge/trainer/store"
)

// A Registry releases models and assigns them. Its fields are set once, before
// the first use.
type Registry struct {
	Store *store.Store
	Keys  *Keys
	Now   func() time.Time // nil: time.Now
}

func (r *Registry) now() time.Time {
	if r.Now == nil {
		return time.Now().UTC().Truncate(time.Second)
	}
	return r.Now().UTC().Truncate(time.Second)
}

// Release makes a bundle of the candidate, signs a release of it under the next
// version of its name, and keeps both. Errors of the candidate wrap ErrCandidate.
func (r *Registry) Release(ctx context.Context, c Candidate) (store.Release, error) {
	made, err := c.prepare()
	if err != nil {
		return store.Release{}, err
	}
	var kept store.Release
	// All in one transaction, so that no other process takes the version.
	err = r.Store.Update(ctx, func(tx *store.Tx) error {
		version, err := tx.NextVersion(c.Name)
		if err != nil {
			return err
		}
		made.bundle.Manifest.Version = version
		if kept, err = r.sign(c, made); err != nil {
			return err
		}
		return tx.AddRelease(kept)
	})
	return kept, err
}

// sign encodes and keeps the bundle and signs the release of it.
func (r *Registry) sign(c Candidate, made *prepared) (store.Release, error) {
	bundle, err := made.bundle.Encode()
	if err != nil {
		return store.Release{}, fmt.Errorf("%w: %w", ErrCandidate, err)
	}
	bundleDigest, err := r.Store.PutBlob(bundle)
	if err != nil {
		return store.Release{}, err
	}
	indexDigest, err := r.Store.PutBlob(trust.NewChunkIndex(bundle))
	if err != nil {
		return store.Release{}, err
	}
	doc := trust.Release{
		Type: "release", Name: c.Name, Version: made.bundle.Manifest.Version, Issued: r.now(),
		Bundle:    trust.BundleRef{SHA256: bundleDigest, Size: int64(len(bundle)), Index: indexDigest},
		Model:     trust.Digest(c.Model),
		Platforms: []string{"*"}, Operators: made.operators, Inputs: made.inputs, Outputs: made.outputs,
		MinAgent: c.MinAgent,
	}
	envelope, err := trust.Sign(trust.TypeRelease, doc, r.Keys.release)
	if err != nil {
		return store.Release{}, err
	}
	verified, digest, err := r.Keys.root.VerifyRelease(envelope)
	if err != nil {
		return store.Release{}, err
	}
	if _, err := verified.Open(bundle); err != nil {
		return store.Release{}, err
	}
	return store.Release{
		Digest: digest, Name: c.Name, Version: doc.Version, Model: doc.Model, Bundle: bundleDigest, Index: indexDigest,
		Envelope: envelope, Weights: c.Weights, Accuracy: c.Accuracy, Created: doc.Issued,
	}, nil
}

// Bundle returns the content of a kept release.
func (r *Registry) Bundle(ctx context.Context, digest string) (*trust.Bundle, error) {
	var kept store.Release
	err := r.Store.View(ctx, func(tx *store.Tx) (err error) {
		kept, err = tx.Release(digest)
		return err
	})
	if err != nil {
		return nil, err
	}
	data, err := r.Store.Blob(kept.Bundle)
	if err != nil {
		return nil, err
	}
	return trust.OpenBundle(data)
}

// Package returns a kept release as the content of a .kedge file.
func (r *Registry) Package(ctx context.Context, digest string) ([]byte, error) {
	var kept store.Release
	err := r.Store.View(ctx, func(tx *store.Tx) (err error) {
		kept, err = tx.Release(digest)
		return err
	})
	if err != nil {
		return nil, err
	}
	bundle, err := r.Store.Blob(kept.Bundle)
	if err != nil {
		return nil, err
	}
	return (&trust.Package{Release: kept.Envelope, Bundle: bundle}).Encode()
}

func describe(name string, version uint64) string {
	if version == 0 {
		return "of " + name
	}
	return fmt.Sprintf("of %s with version %d", name, version)
}

// Chunk returns chunk n of a blob, none behind its end.
func (r *Registry) Chunk(blob string, n int) ([]byte, error) {
	return r.Store.BlobPart(blob, int64(n)*trust.ChunkBytes, trust.ChunkBytes)
}

// DefaultValidity is how long a device may begin with an assignment.
const DefaultValidity = 30 * 24 * time.Hour

// Assign signs and keeps the assignment of a release to a target under the
// target's next sequence. validity 0 means DefaultValidity.
func (r *Registry) Assign(ctx context.Context, target store.Target, digest string, validity time.Duration) (store.Assignment, error) {
	var a store.Assignment
	err := r.Store.Update(ctx, func(tx *store.Tx) (err error) {
		a, err = r.AssignIn(tx, target, digest, validity)
		return err
	})
	return a, err
}

// AssignIn is Assign within a transaction, for what has to happen together with it.
func (r *Registry) AssignIn(tx *store.Tx, target store.Target, digest string, validity time.Duration) (store.Assignment, error) {
	if validity == 0 {
		validity = DefaultValidity
	}
	if _, err := tx.Release(digest); err != nil {
		return store.Assignment{}, err
	}
	sequence, err := tx.NextSequence(target)
	if err != nil {
		return store.Assignment{}, err
	}
	now := r.now()
	doc := trust.Assign{
		Type: "assign", Site: target.Site, Release: digest, Sequence: sequence,
		Mode: trust.ModeActive, Issued: now, NotAfter: now.Add(validity),
	}
	if target.Kind == store.TargetGroup {
		doc.Group = target.Name
	} else {
		doc.Device = target.Name
	}
	envelope, err := trust.Sign(trust.TypeAssign, doc, r.Keys.assign)
	if err != nil {
		return store.Assignment{}, err
	}
	if _, err := r.Keys.root.VerifyAssign(envelope); err != nil {
		return store.Assignment{}, err
	}
	a := store.Assignment{Target: target, Release: digest, Sequence: sequence, Envelope: envelope, Issued: now}
	return a, tx.AddAssignment(a)
}

// ReleaseByVersion finds a kept release by its name and version; version 0
// means the latest.
func (r *Registry) ReleaseByVersion(ctx context.Context, name string, version uint64) (store.Release, error) {
	var found store.Release
	err := r.Store.View(ctx, func(tx *store.Tx) error {
		all, err := tx.Releases(name)
		if err != nil {
			return err
		}
		for _, one := range all {
			if version == 0 || one.Version == version {
				found = one
			}
		}
		if found.Digest == "" {
			return fmt.Errorf("no release %s: %w", describe(name, version), store.ErrNotFound)
		}
		return nil
	})
	return found, err
}
