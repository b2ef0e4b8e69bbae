package release

import (
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"kedge/telemetry/trust"
)

// RotateOptions say what Rotate replaces. At least one role is set.
type RotateOptions struct {
	Root, Release, Assign bool
	Now                   func() time.Time // nil: time.Now
}

// Rotate makes new keys for the chosen roles and the next root document, signed
// by the old root keys and by the new. As many old root keys as their threshold
// asks for have to be back in dir's offline folder. It returns the new version.
//
// Documents that an old key signed lose their force on devices that know the
// new root: after a change of release keys, release anew.
func Rotate(dir string, o RotateOptions) (uint64, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if !o.Root && !o.Release && !o.Assign {
		return 0, fmt.Errorf("rotate: no role chosen")
	}
	k, err := LoadKeys(dir)
	if err != nil {
		return 0, err
	}
	old := k.document
	signers, err := loadSigners(dir, trust.RoleRoot, old.Roles[trust.RoleRoot].KeyIDs)
	if err != nil {
		return 0, err
	}
	if want := old.Roles[trust.RoleRoot].Threshold; len(signers) < want {
		return 0, fmt.Errorf("%s: %d of %d root keys: %w", filepath.Join(dir, offlineDir), len(signers), want, ErrNoKey)
	}
	next, made, err := successor(dir, old, o)
	if err != nil {
		return 0, err
	}
	signers = append(signers, made...)
	envelope, err := trust.Sign(trust.TypeRoot, next, signers...)
	if err != nil {
		return 0, err
	}
	if _, err := k.root.Next(envelope); err != nil {
		return 0, err
	}
	return next.Version, writeFile(rootPath(dir, next.Version), envelope, 0o644)
}

// successor makes the root document that follows old, and returns the signers
// of its root keys if these are new.
func successor(dir string, old trust.RootDocument, o RotateOptions) (trust.RootDocument, []*trust.Signer, error) {
	next := trust.RootDocument{
		Type: "root", Version: old.Version + 1, Issued: o.Now().UTC().Truncate(time.Second),
		Keys: map[string]trust.Key{}, Roles: maps.Clone(old.Roles),
	}
	var signers []*trust.Signer
	for role, chosen := range map[trust.Role]bool{trust.RoleRoot: o.Root, trust.RoleRelease: o.Release, trust.RoleAssign: o.Assign} {
		entry := old.Roles[role]
		if !chosen {
			for _, id := range entry.KeyIDs {
				next.Keys[id] = old.Keys[id]
			}
			continue
		}
		made, err := addRole(&next, dir, role, len(entry.KeyIDs), entry.Threshold)
		if err != nil {
			return next, nil, err
		}
		if role == trust.RoleRoot {
			signers = made
		}
	}
	return next, signers, nil
}
