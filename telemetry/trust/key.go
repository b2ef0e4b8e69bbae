package trust

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// pemPrivateKey is the PEM block type of a PKCS #8 private key (RFC 7468, section 10).
const pemPrivateKey = "PRIVATE KEY"

// KeyID names a public key: the lower-case hexadecimal SHA-256 of its 32 raw bytes.
func KeyID(public ed25519.PublicKey) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:])
}

// A Signer signs documents with one Ed25519 key.
type Signer struct {
	id  string
	key crypto.Signer
}

// NewSigner wraps an Ed25519 key, which may live outside the process (a TPM,
// an HSM) as long as it implements crypto.Signer.
func NewSigner(key crypto.Signer) (*Signer, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("signing key: got %T, want an Ed25519 key", key.Public())
	}
	return &Signer{id: KeyID(public), key: key}, nil
}

// KeyID returns the id that signatures of s carry.
func (s *Signer) KeyID() string { return s.id }

// Public returns the key that verifies what s signs.
func (s *Signer) Public() ed25519.PublicKey { return s.key.Public().(ed25519.PublicKey) }

// MarshalKey encodes a private key as PKCS #8 in PEM, the form that OpenSSL reads and writes too.
func MarshalKey(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: der}), nil
}

// ParseKey decodes what MarshalKey wrote.
func ParseKey(data []byte) (ed25519.PrivateKey, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemPrivateKey {
		return nil, errors.New("no PEM block \"PRIVATE KEY\" found")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("decode PKCS #8: %w", err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("got a %T, want an Ed25519 key", key)
	}
	return private, nil
}
