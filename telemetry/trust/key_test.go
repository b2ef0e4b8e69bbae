package trust

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"testing"
)

// The key of RFC 8410, section 10.3, in the form that OpenSSL writes.
const rfc8410Key = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
`

func TestParseKey(t *testing.T) {
	key, err := ParseKey([]byte(rfc8410Key))
	if err != nil {
		t.Fatal(err)
	}
	const want = "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"
	if got := hex.EncodeToString(key.Seed()); got != want {
		t.Errorf("seed: got %s, want %s", got, want)
	}
	again, err := MarshalKey(key)
	if err != nil || string(again) != rfc8410Key {
		t.Errorf("got %s, %v, want %s", again, err, rfc8410Key)
	}
}

// fixedECDSA is a key of another kind; its scalar does not matter.
func fixedECDSA(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestParseKeyErrors(t *testing.T) {
	der, err := x509.MarshalPKCS8PrivateKey(fixedECDSA(t))
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	tests := []struct {
		name string
		data []byte
	}{
		{"empty", nil},
		{"no PEM", []byte("key")},
		{"public key", block("PUBLIC KEY", der)},
		{"no PKCS #8", block(pemPrivateKey, []byte("der"))},
		{"ECDSA", block(pemPrivateKey, der)},
		{"cut", []byte(rfc8410Key[:60])},
	}
	for _, test := range tests {
		if key, err := ParseKey(test.data); err == nil {
			t.Errorf("%s: got a key of %d bytes, want an error", test.name, len(key))
		}
	}
}

func TestKeyID(t *testing.T) {
	// SHA-256 of 32 zero bytes.
	const want = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
	if got := KeyID(make(ed25519.PublicKey, 32)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	s := signer(t, 1)
	if s.KeyID() != KeyID(s.Public()) {
		t.Errorf("signer: got %s, want %s", s.KeyID(), KeyID(s.Public()))
	}
}

// broken is a signer whose hardware fails.
type broken struct{ ed25519.PrivateKey }

var errHardware = errors.New("token is gone")

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errHardware }

func TestSignerErrors(t *testing.T) {
	if _, err := NewSigner(fixedECDSA(t)); err == nil || !strings.Contains(err.Error(), "Ed25519") {
		t.Errorf("ECDSA key: got %v, want an error that names Ed25519", err)
	}
	s, err := NewSigner(broken{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))})
	wantError(t, err, nil)
	_, err = Sign(TypeAssign, testAssign(), s)
	wantError(t, err, errHardware)
}
