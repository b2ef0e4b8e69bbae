package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"

	"kedge/telemetry/trust"
)

// The keys of the vectors, each named by what it does. Nobody may use them for
// anything else: their seeds are public.
var keyNames = []string{"root-a", "root-b", "root-c", "root-d", "release", "release-new", "assign", "stranger"}

// seed derives the private key of that name.
func seed(name string) []byte {
	sum := sha256.Sum256([]byte("kedge test vector key " + name))
	return sum[:]
}

// key returns a signer; it has to be one of keyNames.
func (s *set) key(name string) *trust.Signer {
	signer, err := trust.NewSigner(ed25519.NewKeyFromSeed(seed(name)))
	if err != nil {
		s.fail(err)
	}
	return signer
}

func (s *set) keys(names ...string) []*trust.Signer {
	var signers []*trust.Signer
	for _, name := range names {
		signers = append(signers, s.key(name))
	}
	return signers
}

func (s *set) addKeys() {
	type key struct {
		Name   string `json:"name"`
		Seed   string `json:"seed"` // RFC 8032's private key, hexadecimal
		Public string `json:"public"`
		KeyID  string `json:"keyid"`
	}
	var all []key
	for _, name := range keyNames {
		signer := s.key(name)
		all = append(all, key{name, hex.EncodeToString(seed(name)), hex.EncodeToString(signer.Public()), signer.KeyID()})
	}
	s.json("keys.json", all)
}

// addPAE shows DSSE's encoding; the first is the example of its specification.
func (s *set) addPAE() {
	type vector struct {
		PayloadType string `json:"payloadType"`
		Payload     []byte `json:"payload"`
		PAE         []byte `json:"pae"`
	}
	var all []vector
	for _, v := range []struct {
		payloadType string
		payload     []byte
	}{
		{"http://example.com/HelloWorld", []byte("hello world")},
		{trust.TypeAssign, []byte(`{"type":"assign"}`)},
		{"", nil},
		{"é", []byte{0, 0xff, '\n'}},
		{"a b", bytes.Repeat([]byte("0123456789"), 10)},
	} {
		all = append(all, vector{v.payloadType, append([]byte{}, v.payload...), trust.PAE(v.payloadType, v.payload)})
	}
	s.json("pae.json", all)
}
