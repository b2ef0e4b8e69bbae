package trust

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// Times of the documents that the tests sign.
var (
	issued   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	notAfter = issued.AddDate(0, 1, 0)
)

// signer returns the signer number n, the same one every time.
func signer(t testing.TB, n byte) *Signer {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	s, err := NewSigner(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func signers(t testing.TB, ns ...byte) []*Signer {
	t.Helper()
	all := make([]*Signer, 0, len(ns))
	for _, n := range ns {
		all = append(all, signer(t, n))
	}
	return all
}

// rootDocument gives the role root to the signers numbered in roots, with the
// threshold; release belongs to signer 10 and assign to signer 20.
func rootDocument(t testing.TB, version uint64, threshold int, roots ...byte) *RootDocument {
	t.Helper()
	doc := &RootDocument{Type: "root", Version: version, Issued: issued, Keys: map[string]Key{}, Roles: map[Role]RoleEntry{}}
	give := func(role Role, threshold int, ns ...byte) {
		entry := RoleEntry{Threshold: threshold}
		for _, s := range signers(t, ns...) {
			doc.Keys[s.KeyID()] = Key{Algorithm: "ed25519", Public: s.Public()}
			entry.KeyIDs = append(entry.KeyIDs, s.KeyID())
		}
		doc.Roles[role] = entry
	}
	give(RoleRoot, threshold, roots...)
	give(RoleRelease, 1, 10)
	give(RoleAssign, 1, 20)
	return doc
}

func sign(t testing.TB, payloadType string, document any, ns ...byte) []byte {
	t.Helper()
	envelope, err := Sign(payloadType, document, signers(t, ns...)...)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// openTestRoot opens root version 1: root 2 of signers 1, 2 and 3.
func openTestRoot(t testing.TB) *Root {
	t.Helper()
	r, err := OpenRoot(sign(t, TypeRoot, rootDocument(t, 1, 2, 1, 2, 3), 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testBundle() *Bundle {
	return &Bundle{
		Manifest:     Manifest{Format: 1, Name: "pump", Version: 7, Labels: []string{"good", "worn"}, Signal: "top1", GoldenSamples: 2},
		Model:        []byte("a model"),
		Features:     []byte(`[{"name":"rms","transform":"none","mean":0,"scale":1}]`),
		Reference:    []byte(`{"counts":[],"n":0}`),
		GoldenInput:  []byte{1, 2, 3, 4},
		GoldenOutput: []byte{5, 6},
	}
}

func encodeBundle(t testing.TB, b *Bundle) []byte {
	t.Helper()
	data, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// testRelease describes the encoded bundle of b.
func testRelease(b *Bundle, encoded []byte) *Release {
	return &Release{
		Type: "release", Name: b.Manifest.Name, Version: b.Manifest.Version, Issued: issued,
		Bundle:    BundleRef{SHA256: Digest(encoded), Size: int64(len(encoded)), Index: Digest(NewChunkIndex(encoded))},
		Model:     Digest(b.Model),
		Platforms: []string{"linux/arm64", "linux/amd64"}, Operators: []string{"FULLY_CONNECTED"},
		Inputs: []Operand{{Type: "int8", Shape: []int{1, 2}}}, Outputs: []Operand{{Type: "int8", Shape: []int{1, 2}}},
		MinAgent: "0.1.0", SecurityFloor: 3,
	}
}

func testAssign() *Assign {
	return &Assign{
		Type: "assign", Site: "north", Device: "pump-1", Release: strings.Repeat("ab", 32),
		Sequence: 4, Mode: ModeActive, Issued: issued, NotAfter: notAfter, SpreadSeconds: 60,
	}
}

func testReference() *ReferenceDocument {
	return &ReferenceDocument{
		Type: "reference", Site: "north", Device: "pump-1", Model: strings.Repeat("cd", 32),
		Sequence: 1, Issued: issued, Reference: json.RawMessage(`{"counts":[1],"n":1}`),
	}
}

// members returns document as the JSON object that it becomes, for a test to
// change in ways that the Go type does not allow.
func members(t testing.TB, document any) map[string]any {
	t.Helper()
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// with returns a copy of m with one member replaced; nil removes it.
func with(m map[string]any, name string, value any) map[string]any {
	c := maps.Clone(m)
	if value == nil {
		delete(c, name)
	} else {
		c[name] = value
	}
	return c
}

// wantError fails the test unless err wraps want; nil wants no error.
func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || (want == nil) != (err == nil) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

// long returns a string of n letters.
func long(n int) string { return string(slices.Repeat([]byte("x"), n)) }
