package trust

import (
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
	"time"
)

// RootDocument is the payload of a root envelope: the keys, and which of them hold which role.
type RootDocument struct {
	Type    string             `json:"type"`    // "root"
	Version uint64             `json:"version"` // from 1, each next one signed by the one before
	Issued  time.Time          `json:"issued"`
	Keys    map[string]Key     `json:"keys"` // by KeyID
	Roles   map[Role]RoleEntry `json:"roles"`
}

// A Key is a public key of the root document.
type Key struct {
	Algorithm string `json:"alg"`    // "ed25519"
	Public    []byte `json:"public"` // 32 bytes, base64 in JSON
}

// A RoleEntry gives a role to keys; Threshold of them have to sign.
type RoleEntry struct {
	KeyIDs    []string `json:"keyids"`    // 1 to 16
	Threshold int      `json:"threshold"` // from 1
}

// maxRoleKeys bounds the keys of a role, so that every threshold can be reached
// within maxSignatures.
const maxRoleKeys = maxSignatures

// A Root is a verified root document, through which all other documents are verified.
type Root struct {
	doc  RootDocument
	keys map[Role]map[string]ed25519.PublicKey
}

// OpenRoot reads the root document that a device was enrolled with. It proves
// that the document is whole and signed by its own root keys; that it is the
// right one is the promise of whoever enrolled the device.
func OpenRoot(envelope []byte) (*Root, error) {
	e, err := decodeEnvelope(envelope)
	if err != nil {
		return nil, fmt.Errorf("root: %w", err)
	}
	return openRoot(e)
}

// openRoot has to parse before it can verify: the document brings its own keys.
func openRoot(e *Envelope) (*Root, error) {
	r, err := parseRoot(e.Payload)
	if err != nil {
		return nil, err
	}
	if err := r.verify(RoleRoot, TypeRoot, e); err != nil {
		return nil, err
	}
	return r, nil
}

// Next verifies the root document that follows r: its version is r's plus one,
// and both the old and the new root keys have signed it (TUF 1.0, section 5.3).
func (r *Root) Next(envelope []byte) (*Root, error) {
	e, err := decodeEnvelope(envelope)
	if err != nil {
		return nil, fmt.Errorf("root: %w", err)
	}
	if err := r.verify(RoleRoot, TypeRoot, e); err != nil {
		return nil, err
	}
	next, err := openRoot(e)
	if err != nil {
		return nil, err
	}
	if next.doc.Version != r.doc.Version+1 {
		return nil, fmt.Errorf("root: got version %d, present %d: %w", next.doc.Version, r.doc.Version, ErrRootVersion)
	}
	return next, nil
}

// Version returns the version of the root document.
func (r *Root) Version() uint64 { return r.doc.Version }

// Issued returns the signed time of the root document, a lower bound of the present.
func (r *Root) Issued() time.Time { return r.doc.Issued }

// KeyIDs returns the ids of the keys that hold the role, sorted. Comparing them
// between two versions tells which keys a rotation took a role from.
func (r *Root) KeyIDs(role Role) []string { return slices.Sorted(maps.Keys(r.keys[role])) }

// Verify returns the payload of an envelope of the given type if enough keys of the role signed it.
func (r *Root) Verify(role Role, payloadType string, envelope []byte) ([]byte, error) {
	e, err := decodeEnvelope(envelope)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	if err := r.verify(role, payloadType, e); err != nil {
		return nil, err
	}
	return e.Payload, nil
}

func (r *Root) verify(role Role, payloadType string, e *Envelope) error {
	if err := e.verify(payloadType, r.keys[role], r.doc.Roles[role].Threshold); err != nil {
		return fmt.Errorf("%s: %w", role, err)
	}
	return nil
}

func parseRoot(payload []byte) (*Root, error) {
	r := &Root{keys: make(map[Role]map[string]ed25519.PublicKey)}
	if err := unmarshalExact(payload, &r.doc); err != nil {
		return nil, fmt.Errorf("root: %w: %w", ErrMalformed, err)
	}
	if r.doc.Type != "root" || r.doc.Version == 0 {
		return nil, fmt.Errorf("root: type %q version %d: %w", r.doc.Type, r.doc.Version, ErrMalformed)
	}
	for _, role := range []Role{RoleRoot, RoleRelease, RoleAssign} {
		keys, err := r.roleKeys(role)
		if err != nil {
			return nil, err
		}
		r.keys[role] = keys
	}
	return r, nil
}

func (r *Root) roleKeys(role Role) (map[string]ed25519.PublicKey, error) {
	entry := r.doc.Roles[role]
	keys := make(map[string]ed25519.PublicKey, len(entry.KeyIDs))
	for _, id := range entry.KeyIDs {
		key, ok := r.doc.Keys[id]
		if !ok || key.Algorithm != "ed25519" || len(key.Public) != ed25519.PublicKeySize || KeyID(key.Public) != id {
			return nil, fmt.Errorf("root: role %s: key %.16q is absent or not what its id says: %w", role, id, ErrMalformed)
		}
		keys[id] = key.Public
	}
	// A threshold above what an envelope may hold would lock everybody out.
	if entry.Threshold < 1 || entry.Threshold > len(keys) || len(keys) > maxRoleKeys {
		return nil, fmt.Errorf("root: role %s: threshold %d of %d keys, at most %d: %w", role, entry.Threshold, len(keys), maxRoleKeys, ErrMalformed)
	}
	return keys, nil
}
