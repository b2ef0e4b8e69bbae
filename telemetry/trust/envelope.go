package trust

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strconv"
)

// maxSignatures bounds the work that a stranger's envelope can cause.
const maxSignatures = 16

// An Envelope is a signed document as it travels: DSSE 1.0
// (https://github.com/secure-systems-lab/dsse), JSON form.
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     []byte      `json:"payload"` // base64 in JSON
	Signatures  []Signature `json:"signatures"`
}

// A Signature is one key's Ed25519 signature over PAE(payload type, payload).
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   []byte `json:"sig"` // base64 in JSON
}

// PAE is DSSE's pre-authentication encoding, the bytes that are signed:
// "DSSEv1", the lengths in decimal, and the two strings, separated by spaces.
func PAE(payloadType string, payload []byte) []byte {
	b := make([]byte, 0, len(payloadType)+len(payload)+32)
	b = append(b, "DSSEv1 "...)
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(b, ' ')
	b = append(b, payloadType...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	b = append(b, ' ')
	return append(b, payload...)
}

// Sign encodes document as JSON and puts it into an envelope signed by every signer.
func Sign(payloadType string, document any, signers ...*Signer) ([]byte, error) {
	payload, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", payloadType, err)
	}
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("%s of %d bytes, at most %d: %w", payloadType, len(payload), MaxPayload, ErrTooLarge)
	}
	return signPayload(payloadType, payload, nil, signers)
}

// AddSignatures signs the payload of an existing envelope with further keys,
// which is how several holders of offline root keys sign one after another.
func AddSignatures(envelope []byte, signers ...*Signer) ([]byte, error) {
	e, err := decodeEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	return signPayload(e.PayloadType, e.Payload, e.Signatures, signers)
}

func signPayload(payloadType string, payload []byte, have []Signature, signers []*Signer) ([]byte, error) {
	e := Envelope{PayloadType: payloadType, Payload: payload, Signatures: have}
	message := PAE(payloadType, payload)
	for _, s := range signers {
		sig, err := s.key.Sign(nil, message, crypto.Hash(0))
		if err != nil {
			return nil, fmt.Errorf("sign %s with key %.8s: %w", payloadType, s.id, err)
		}
		e.Signatures = append(e.Signatures, Signature{KeyID: s.id, Sig: sig})
	}
	return json.Marshal(e)
}

// PayloadOf returns the payload type and the payload of an envelope without
// verifying anything. It serves to compute a document's digest or to look for
// a document; what it returns must not be trusted.
func PayloadOf(envelope []byte) (payloadType string, payload []byte, err error) {
	e, err := decodeEnvelope(envelope)
	if err != nil {
		return "", nil, err
	}
	return e.PayloadType, e.Payload, nil
}

func decodeEnvelope(data []byte) (*Envelope, error) {
	if len(data) > maxEnvelope {
		return nil, fmt.Errorf("envelope of %d bytes, at most %d: %w", len(data), maxEnvelope, ErrTooLarge)
	}
	var e Envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("envelope: %w: %w", ErrMalformed, err)
	}
	if len(e.Payload) > MaxPayload {
		return nil, fmt.Errorf("payload of %d bytes, at most %d: %w", len(e.Payload), MaxPayload, ErrTooLarge)
	}
	if len(e.Signatures) > maxSignatures {
		return nil, fmt.Errorf("%d signatures, at most %d: %w", len(e.Signatures), maxSignatures, ErrTooLarge)
	}
	return &e, nil
}

// verify returns the payload if at least threshold different keys of keys signed it.
// A key counts once however often it signed; signatures of unknown keys are
// passed over, because a rotation leaves some behind.
func verify(data []byte, payloadType string, keys map[string]ed25519.PublicKey, threshold int) ([]byte, error) {
	e, err := decodeEnvelope(data)
	if err != nil {
		return nil, err
	}
	if e.PayloadType != payloadType {
		return nil, fmt.Errorf("got %q, want %q: %w", e.PayloadType, payloadType, ErrPayloadType)
	}
	message := PAE(e.PayloadType, e.Payload)
	valid := make(map[string]bool)
	for _, s := range e.Signatures {
		if key, ok := keys[s.KeyID]; ok && ed25519.Verify(key, message, s.Sig) {
			valid[s.KeyID] = true
		}
	}
	if threshold < 1 || len(valid) < threshold {
		return nil, fmt.Errorf("%d valid signatures, want %d: %w", len(valid), threshold, ErrSignature)
	}
	return e.Payload, nil
}
