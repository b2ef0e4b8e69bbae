package trust

import (
	"encoding/json"
	"fmt"
	"time"

	"kedge/telemetry/form"
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
	// Sequence rises, from 1, with every reference for the same device.
	Sequence uint64    `json:"sequence"`
	Issued   time.Time `json:"issued"`
	// First is the sample id that the device's reference event began with, if the
	// reference is made of those signals. Such a reference is from before any alarm
	// that stands when it comes, and no answer to it; one without First is.
	First string `json:"first,omitempty"`
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
	if err := unmarshalExact(payload, &ref); err != nil {
		return nil, fmt.Errorf("reference: %w: %w", ErrMalformed, err)
	}
	if err := ref.check(); err != nil {
		return nil, err
	}
	return &ref, nil
}

func (ref *ReferenceDocument) check() error {
	switch {
	case ref.Type != "reference" || !form.Digest(ref.Model):
		return fmt.Errorf("reference: type %.32q, model %.80q: %w", ref.Type, ref.Model, ErrMalformed)
	case !form.Name(ref.Site) || !form.Name(ref.Device):
		return fmt.Errorf("reference: site %.80q, device %.80q: %w", ref.Site, ref.Device, ErrMalformed)
	case ref.Sequence == 0:
		return fmt.Errorf("reference: sequence 0, want 1 or more: %w", ErrMalformed)
	case ref.First != "" && !form.Sample(ref.First):
		return fmt.Errorf("reference: first %.160q is no sample id: %w", ref.First, ErrMalformed)
	// A null would decode as no histogram at all and so make the device blind.
	case len(ref.Reference) == 0 || ref.Reference[0] != '{':
		return fmt.Errorf("reference: the histogram is no JSON object: %w", ErrMalformed)
	}
	return nil
}
