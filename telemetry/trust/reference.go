package trust

import (
	"encoding/json"
	"fmt"
	"time"
)

// A ReferenceDocument is the payload of a reference envelope: what the signal of a
// model looks like on one device while all is well. The release role signs it,
// because whoever could choose the reference could make a device blind.
type ReferenceDocument struct {
	Type   string `json:"type"` // "reference"
	Site   string `json:"site"`
	Device string `json:"device"`
	// Model is the SHA-256 of the model.tflite whose signal it describes.
	Model string `json:"model"`
	// Sequence rises with every reference for the same device.
	Sequence uint64    `json:"sequence"`
	Issued   time.Time `json:"issued"`
	// Reference is the histogram in the form of the bundle's reference.json.
	Reference json.RawMessage `json:"reference"`
}

// VerifyReference returns the reference in the envelope if the release role signed it.
func (r *Root) VerifyReference(envelope []byte) (*ReferenceDocument, error) {
	payload, err := r.Verify(RoleRelease, TypeReference, envelope)
	if err != nil {
		return nil, err
	}
	var ref ReferenceDocument
	if err := json.Unmarshal(payload, &ref); err != nil {
		return nil, fmt.Errorf("reference: %w: %w", ErrMalformed, err)
	}
	if ref.Type != "reference" || !digestForm.MatchString(ref.Model) || len(ref.Reference) == 0 {
		return nil, fmt.Errorf("reference: type %q, model %.80q: %w", ref.Type, ref.Model, ErrMalformed)
	}
	return &ref, nil
}
