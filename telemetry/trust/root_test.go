package trust

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
)

func TestOpenRoot(t *testing.T) {
	r := openTestRoot(t)
	if r.Version() != 1 || !r.Issued().Equal(issued) {
		t.Errorf("got version %d of %s, want 1 of %s", r.Version(), r.Issued(), issued)
	}
	want := []string{signer(t, 1).KeyID(), signer(t, 2).KeyID(), signer(t, 3).KeyID()}
	slices.Sort(want)
	if got := r.KeyIDs(RoleRoot); !slices.Equal(got, want) {
		t.Errorf("root keys: got %v, want %v", got, want)
	}
	if got := r.KeyIDs("timestamp"); len(got) != 0 {
		t.Errorf("keys of an unknown role: got %v, want none", got)
	}
}

func TestOpenRootMalformed(t *testing.T) {
	base := func() *RootDocument { return rootDocument(t, 1, 1, 1) }
	edit := func(change func(*RootDocument)) *RootDocument {
		d := base()
		change(d)
		return d
	}
	id1, id2 := signer(t, 1).KeyID(), signer(t, 2).KeyID()
	tests := []struct {
		name     string
		document any
		want     error
	}{
		{"good", base(), nil},
		{"other type", edit(func(d *RootDocument) { d.Type = "release" }), ErrMalformed},
		{"version 0", edit(func(d *RootDocument) { d.Version = 0 }), ErrMalformed},
		{"role root missing", edit(func(d *RootDocument) { delete(d.Roles, RoleRoot) }), ErrMalformed},
		{"role release missing", edit(func(d *RootDocument) { delete(d.Roles, RoleRelease) }), ErrMalformed},
		{"role assign missing", edit(func(d *RootDocument) { delete(d.Roles, RoleAssign) }), ErrMalformed},
		{"role of the future", edit(func(d *RootDocument) { d.Roles["mirror"] = RoleEntry{} }), nil},
		{"threshold 0", edit(func(d *RootDocument) { d.Roles[RoleRoot] = RoleEntry{KeyIDs: []string{id1}} }), ErrMalformed},
		{"threshold below 0", edit(func(d *RootDocument) { d.Roles[RoleRoot] = RoleEntry{KeyIDs: []string{id1}, Threshold: -1} }), ErrMalformed},
		{"threshold over keys", edit(func(d *RootDocument) { d.Roles[RoleAssign] = RoleEntry{KeyIDs: []string{id1}, Threshold: 2} }), ErrMalformed},
		{"threshold met by naming a key twice", edit(func(d *RootDocument) { d.Roles[RoleAssign] = RoleEntry{KeyIDs: []string{id1, id1}, Threshold: 2} }), ErrMalformed},
		{"key absent", edit(func(d *RootDocument) { delete(d.Keys, id1) }), ErrMalformed},
		{"key under another's id", edit(func(d *RootDocument) {
			d.Keys[id2] = d.Keys[id1]
			d.Roles[RoleRoot] = RoleEntry{KeyIDs: []string{id1, id2}, Threshold: 1}
		}), ErrMalformed},
		{"other algorithm", edit(func(d *RootDocument) { d.Keys[id1] = Key{Algorithm: "rsa", Public: signer(t, 1).Public()} }), ErrMalformed},
		{"short key", edit(func(d *RootDocument) { d.Keys[id1] = Key{Algorithm: "ed25519", Public: []byte{1}} }), ErrMalformed},
		{"stray key that nobody uses", edit(func(d *RootDocument) { d.Keys["x"] = Key{} }), nil},
		{"more keys than an envelope has signatures", edit(func(d *RootDocument) {
			entry := RoleEntry{Threshold: 1}
			for n := range byte(maxRoleKeys + 1) {
				s := signer(t, n)
				d.Keys[s.KeyID()] = Key{Algorithm: "ed25519", Public: s.Public()}
				entry.KeyIDs = append(entry.KeyIDs, s.KeyID())
			}
			d.Roles[RoleRelease] = entry
		}), ErrMalformed},
		{"no object", "root", ErrMalformed},
		{"number too long", with(members(t, base()), "version", json.Number("18446744073709551616")), ErrMalformed},
		{"fraction", with(members(t, base()), "version", 1.5), ErrMalformed},
		{"member in capitals", with(members(t, base()), "Version", 2), ErrMalformed},
		{"role twice", json.RawMessage(`{"type":"root","version":1,"issued":"2026-03-01T12:00:00Z","keys":{},"roles":{"root":{},"root":{}}}`), ErrMalformed},
		{"threshold twice", json.RawMessage(`{"type":"root","version":1,"issued":"2026-03-01T12:00:00Z","keys":{},"roles":{"root":{"threshold":1,"threshold":1}}}`), ErrMalformed},
		{"bad time", with(members(t, base()), "issued", "yesterday"), ErrMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := OpenRoot(sign(t, TypeRoot, test.document, 1))
			wantError(t, err, test.want)
		})
	}
	t.Run("not signed by itself", func(t *testing.T) {
		_, err := OpenRoot(sign(t, TypeRoot, base(), 2))
		wantError(t, err, ErrSignature)
	})
	t.Run("other payload type", func(t *testing.T) {
		_, err := OpenRoot(sign(t, TypeAssign, base(), 1))
		wantError(t, err, ErrPayloadType)
	})
	t.Run("no envelope", func(t *testing.T) {
		_, err := OpenRoot([]byte("root"))
		wantError(t, err, ErrMalformed)
	})
}

// TUF 1.0, section 5.3: the next root is signed by a threshold of the present
// root's keys and by one of its own, and its version is the next number.
func TestNext(t *testing.T) {
	present := openTestRoot(t) // 2 of 1, 2, 3
	tests := []struct {
		name    string
		next    *RootDocument
		signers []byte
		want    error
	}{
		{"same keys", rootDocument(t, 2, 2, 1, 2, 3), []byte{1, 2}, nil},
		{"one key replaced", rootDocument(t, 2, 2, 1, 2, 4), []byte{1, 2}, nil},
		{"all keys replaced, both sides sign", rootDocument(t, 2, 2, 4, 5, 6), []byte{1, 2, 4, 5}, nil},
		{"only the old keys sign", rootDocument(t, 2, 2, 4, 5, 6), []byte{1, 2, 3}, ErrSignature},
		{"only the new keys sign", rootDocument(t, 2, 2, 4, 5, 6), []byte{4, 5, 6}, ErrSignature},
		{"old below its threshold", rootDocument(t, 2, 2, 4, 5, 6), []byte{1, 4, 5, 6}, ErrSignature},
		{"new below its threshold", rootDocument(t, 2, 2, 4, 5, 6), []byte{1, 2, 4}, ErrSignature},
		{"threshold raised, enough", rootDocument(t, 2, 3, 1, 2, 3), []byte{1, 2, 3}, nil},
		{"threshold raised, not enough", rootDocument(t, 2, 3, 1, 2, 3), []byte{1, 2}, ErrSignature},
		{"threshold lowered by one key alone", rootDocument(t, 2, 1, 1, 2, 3), []byte{1}, ErrSignature},
		{"replayed", rootDocument(t, 1, 2, 1, 2, 3), []byte{1, 2}, ErrRootVersion},
		{"one skipped", rootDocument(t, 3, 2, 1, 2, 3), []byte{1, 2}, ErrRootVersion},
		{"fast forward", rootDocument(t, math.MaxUint64, 2, 1, 2, 3), []byte{1, 2}, ErrRootVersion},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			next, err := present.Next(sign(t, TypeRoot, test.next, test.signers...))
			wantError(t, err, test.want)
			if err == nil && next.Version() != present.Version()+1 {
				t.Errorf("got version %d, want %d", next.Version(), present.Version()+1)
			}
			if present.Version() != 1 {
				t.Errorf("the present root became version %d", present.Version())
			}
		})
	}
	t.Run("no envelope", func(t *testing.T) {
		_, err := present.Next([]byte("{}"))
		wantError(t, err, ErrMalformed)
	})
	t.Run("malformed though signed", func(t *testing.T) {
		_, err := present.Next(sign(t, TypeRoot, "root", 1, 2))
		wantError(t, err, ErrMalformed)
	})
	t.Run("other payload type", func(t *testing.T) {
		_, err := present.Next(sign(t, TypeAssign, rootDocument(t, 2, 2, 1, 2, 3), 1, 2))
		wantError(t, err, ErrPayloadType)
	})
}

// The last version has no next one: its number must not begin anew.
func TestNextAfterTheLast(t *testing.T) {
	last, err := OpenRoot(sign(t, TypeRoot, rootDocument(t, math.MaxUint64, 1, 1), 1))
	wantError(t, err, nil)
	_, err = last.Next(sign(t, TypeRoot, rootDocument(t, 1, 1, 1), 1))
	wantError(t, err, ErrRootVersion)
}

// After a rotation the old release key is worth nothing, and the new one counts.
func TestRotationOfAnotherRole(t *testing.T) {
	present := openTestRoot(t)
	doc := rootDocument(t, 2, 2, 1, 2, 3)
	fresh := signer(t, 11)
	doc.Keys[fresh.KeyID()] = Key{Algorithm: "ed25519", Public: fresh.Public()}
	doc.Roles[RoleRelease] = RoleEntry{KeyIDs: []string{fresh.KeyID()}, Threshold: 1}
	next, err := present.Next(sign(t, TypeRoot, doc, 2, 3))
	wantError(t, err, nil)

	b := testBundle()
	release := testRelease(b, encodeBundle(t, b))
	for _, test := range []struct {
		root *Root
		key  byte
		want error
	}{{present, 10, nil}, {present, 11, ErrSignature}, {next, 10, ErrSignature}, {next, 11, nil}} {
		_, _, err := test.root.VerifyRelease(sign(t, TypeRelease, release, test.key))
		wantError(t, err, test.want)
	}
}
