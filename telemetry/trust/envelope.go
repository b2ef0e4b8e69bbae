package trust

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxSignatures bounds the work that a stranger's envelope can cause. A role's
// threshold cannot exceed it.
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
	// KeyID says which key to try. It is a hint that nobody signed: empty means
	// any of the role's keys.
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
// A signature that a signer's key left there before is replaced.
func AddSignatures(envelope []byte, signers ...*Signer) ([]byte, error) {
	e, err := decodeEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	return signPayload(e.PayloadType, e.Payload, e.Signatures, signers)
}

func signPayload(payloadType string, payload []byte, have []Signature, signers []*Signer) ([]byte, error) {
	// Not nil: DSSE wants the member even where nobody has signed yet.
	signatures := append([]Signature{}, have...)
	message := PAE(payloadType, payload)
	for _, s := range signers {
		sig, err := s.key.Sign(nil, message, crypto.Hash(0))
		if err != nil {
			return nil, fmt.Errorf("sign %s with key %.8s: %w", payloadType, s.id, err)
		}
		signatures = slices.DeleteFunc(signatures, func(old Signature) bool { return old.KeyID == s.id })
		signatures = append(signatures, Signature{KeyID: s.id, Sig: sig})
	}
	if len(signatures) > maxSignatures {
		return nil, fmt.Errorf("sign %s: %d signatures, at most %d: %w", payloadType, len(signatures), maxSignatures, ErrTooLarge)
	}
	return json.Marshal(Envelope{PayloadType: payloadType, Payload: payload, Signatures: signatures})
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

// envelopeForm is an Envelope as it is read. Pointers tell an absent member
// from an empty one: DSSE requires all of them but keyid.
type envelopeForm struct {
	PayloadType *string          `json:"payloadType"`
	Payload     *string          `json:"payload"`
	Signatures  *[]signatureForm `json:"signatures"`
}

type signatureForm struct {
	KeyID string  `json:"keyid"`
	Sig   *string `json:"sig"`
}

func decodeEnvelope(data []byte) (*Envelope, error) {
	if len(data) > maxEnvelope {
		return nil, fmt.Errorf("envelope of %d bytes, at most %d: %w", len(data), maxEnvelope, ErrTooLarge)
	}
	var form envelopeForm
	if err := unmarshalExact(data, &form); err != nil {
		return nil, fmt.Errorf("envelope: %w: %w", ErrMalformed, err)
	}
	if form.PayloadType == nil || form.Payload == nil || form.Signatures == nil {
		return nil, fmt.Errorf("envelope: payloadType, payload or signatures is missing: %w", ErrMalformed)
	}
	payload, err := decodeBase64(*form.Payload)
	if err != nil {
		return nil, fmt.Errorf("envelope: payload: %w: %w", ErrMalformed, err)
	}
	if len(payload) > MaxPayload {
		return nil, fmt.Errorf("payload of %d bytes, at most %d: %w", len(payload), MaxPayload, ErrTooLarge)
	}
	if n := len(*form.Signatures); n > maxSignatures {
		return nil, fmt.Errorf("%d signatures, at most %d: %w", n, maxSignatures, ErrTooLarge)
	}
	e := &Envelope{PayloadType: *form.PayloadType, Payload: payload}
	for i, s := range *form.Signatures {
		if s.Sig == nil {
			return nil, fmt.Errorf("envelope: signature %d: sig is missing: %w", i, ErrMalformed)
		}
		sig, err := decodeBase64(*s.Sig)
		if err != nil {
			return nil, fmt.Errorf("envelope: signature %d: %w: %w", i, ErrMalformed, err)
		}
		e.Signatures = append(e.Signatures, Signature{KeyID: s.KeyID, Sig: sig})
	}
	return e, nil
}

// decodeBase64 reads either alphabet, as DSSE asks of every verifier.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "-_") {
		return base64.URLEncoding.DecodeString(s)
	}
	return base64.StdEncoding.DecodeString(s)
}

// verify fails unless the envelope is of the type and at least threshold
// different keys of keys signed it. A key counts once however often it signed;
// signatures of unknown keys are passed over, because a rotation leaves some behind.
func (e *Envelope) verify(payloadType string, keys map[string]ed25519.PublicKey, threshold int) error {
	if e.PayloadType != payloadType {
		return fmt.Errorf("got %.80q, want %q: %w", e.PayloadType, payloadType, ErrPayloadType)
	}
	message := PAE(e.PayloadType, e.Payload)
	valid := make(map[string]bool)
	for _, s := range e.Signatures {
		for id, key := range keys {
			if (s.KeyID == id || s.KeyID == "") && !valid[id] && ed25519.Verify(key, message, s.Sig) {
				valid[id] = true
			}
		}
	}
	if threshold < 1 || len(valid) < threshold {
		return fmt.Errorf("%d valid signatures, want %d: %w", len(valid), threshold, ErrSignature)
	}
	return nil
}
