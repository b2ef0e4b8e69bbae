package trust

import (
	"bytes"
	"testing"
)

// FuzzEnvelope: decoding never panics, what was decoded survives signing, and
// only what signer 20 signed verifies.
func FuzzEnvelope(f *testing.F) {
	r := openTestRoot(f)
	good := sign(f, TypeAssign, testAssign(), 20)
	_, want, err := PayloadOf(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := r.Verify(RoleAssign, TypeAssign, data); err == nil && !bytes.Equal(got, want) {
			t.Fatalf("a forged payload verified: %q", got)
		}
		payloadType, payload, err := PayloadOf(data)
		if err != nil {
			return
		}
		again, err := AddSignatures(data, signer(t, 20))
		if err != nil {
			return // as many signatures as there can be
		}
		gotType, got, err := PayloadOf(again)
		if err != nil || gotType != payloadType || !bytes.Equal(got, payload) {
			t.Fatalf("signed again: got %q %q, %v, want %q %q", gotType, got, err, payloadType, payload)
		}
	})
}

// FuzzOpenRoot: the payload is signed as it is, so that the fuzzer reaches what
// lies behind the signature; a root that opens keeps its promises.
func FuzzOpenRoot(f *testing.F) {
	_, payload, err := PayloadOf(sign(f, TypeRoot, rootDocument(f, 1, 1, 1), 1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	f.Fuzz(func(t *testing.T, payload []byte) {
		_, _ = OpenRoot(payload)
		envelope, err := signPayload(TypeRoot, payload, nil, signers(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		r, err := OpenRoot(envelope)
		if err != nil {
			return
		}
		for _, role := range []Role{RoleRoot, RoleRelease, RoleAssign} {
			n, threshold := len(r.KeyIDs(role)), r.doc.Roles[role].Threshold
			if threshold < 1 || threshold > n || n > maxRoleKeys {
				t.Fatalf("role %s: threshold %d of %d keys", role, threshold, n)
			}
		}
		if _, err := r.Next(envelope); err == nil {
			t.Fatal("a root follows itself")
		}
	})
}

// FuzzDocuments: no payload, signed by the right key, makes a verifier panic or
// return a document that fails its own check.
func FuzzDocuments(f *testing.F) {
	r := openTestRoot(f)
	b := testBundle()
	for _, envelope := range [][]byte{
		sign(f, TypeRelease, testRelease(b, encodeBundle(f, b))), sign(f, TypeAssign, testAssign()), sign(f, TypeReference, testReference()),
	} {
		_, payload, err := PayloadOf(envelope)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		envelope := func(payloadType string, key byte) []byte {
			e, err := signPayload(payloadType, payload, nil, signers(t, key))
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		if rel, digest, err := r.VerifyRelease(envelope(TypeRelease, 10)); err == nil && (rel.check() != nil || digest != Digest(payload)) {
			t.Fatalf("release %+v, digest %s", rel, digest)
		}
		if a, err := r.VerifyAssign(envelope(TypeAssign, 20)); err == nil && a.check() != nil {
			t.Fatalf("assign %+v", a)
		}
		if ref, err := r.VerifyReference(envelope(TypeReference, 10)); err == nil && ref.check() != nil {
			t.Fatalf("reference %+v", ref)
		}
	})
}

// FuzzOpenBundle: no archive makes the reader panic, and what opens can be
// packed and opened again.
func FuzzOpenBundle(f *testing.F) {
	f.Add(encodeBundle(f, testBundle()))
	p, err := (&Package{Release: []byte("r"), Bundle: []byte("b")}).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p)
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := OpenPackage(data); err == nil && len(p.Release)+len(p.Bundle) > maxPackage {
			t.Fatalf("package of %d bytes", len(p.Release)+len(p.Bundle))
		}
		b, err := OpenBundle(data)
		if err != nil {
			return
		}
		again, err := b.Encode()
		if err != nil {
			t.Fatalf("opened but not encoded: %v", err)
		}
		if got, err := OpenBundle(again); err != nil || !bytes.Equal(got.Model, b.Model) {
			t.Fatalf("encoded but not opened: %v", err)
		}
	})
}
