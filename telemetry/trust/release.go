package trust

import (
	"fmt"
	"math"
	"slices"
	"time"

	"kedge/telemetry/form"
)

// A Release is the payload of a release envelope: a model, made properly and
// allowed to run where it fits. Its digest (DocumentDigest) names it everywhere.
type Release struct {
	Type    string    `json:"type"`    // "release"
	Name    string    `json:"name"`    // the model's name; versions count per name
	Version uint64    `json:"version"` // from 1, rising
	Issued  time.Time `json:"issued"`
	Bundle  BundleRef `json:"bundle"`
	Model   string    `json:"model"` // SHA-256 of model.tflite, hexadecimal
	// Platforms lists where it may run, as GOOS/GOARCH; "*" means everywhere.
	Platforms []string `json:"platforms,omitempty"`
	// Operators lists the TFLite operators that the model needs, by their schema names.
	Operators []string  `json:"operators,omitempty"`
	Inputs    []Operand `json:"inputs,omitempty"`
	Outputs   []Operand `json:"outputs,omitempty"`
	// MinAgent is the oldest agent that can run it ("0.3.0"); empty means any.
	MinAgent string `json:"min_agent,omitempty"`
	// SecurityFloor is the lowest version of this name that a device may run
	// from now on, at most Version. It only ever rises on a device.
	SecurityFloor uint64 `json:"security_floor,omitempty"`
}

// An Operand is the type and shape of a model's input or output.
type Operand struct {
	Type  string `json:"type"`            // "int8", "float32", …
	Shape []int  `json:"shape,omitempty"` // empty for a scalar; each dimension 1 to 2^31-1
}

// A BundleRef names a bundle by content.
type BundleRef struct {
	SHA256 string `json:"sha256"` // hexadecimal
	Size   int64  `json:"size"`   // bytes
	// Index names the list of the chunks' digests (see ChunkIndex), itself a blob of one chunk.
	Index string `json:"index"`
}

// VerifyRelease returns the release in the envelope and its digest if the release role signed it.
func (r *Root) VerifyRelease(envelope []byte) (*Release, string, error) {
	payload, err := r.Verify(RoleRelease, TypeRelease, envelope)
	if err != nil {
		return nil, "", err
	}
	var rel Release
	if err := unmarshalExact(payload, &rel); err != nil {
		return nil, "", fmt.Errorf("release: %w: %w", ErrMalformed, err)
	}
	if err := rel.check(); err != nil {
		return nil, "", err
	}
	return &rel, DocumentDigest(payload), nil
}

func (rel *Release) check() error {
	switch {
	case rel.Type != "release":
		return fmt.Errorf("release: type %.32q: %w", rel.Type, ErrMalformed)
	case !form.Name(rel.Name):
		return fmt.Errorf("release: name %.80q: %w", rel.Name, ErrMalformed)
	case rel.Version == 0:
		return fmt.Errorf("release %s: version 0: %w", rel.Name, ErrMalformed)
	case rel.SecurityFloor > rel.Version:
		// A device would come to refuse the very release that it has installed.
		return fmt.Errorf("release %s: version %d is below its own security floor %d: %w", rel.Name, rel.Version, rel.SecurityFloor, ErrMalformed)
	case rel.MinAgent != "" && !form.Version(rel.MinAgent):
		return fmt.Errorf("release %s: oldest agent %.32q, want major.minor.patch: %w", rel.Name, rel.MinAgent, ErrMalformed)
	case rel.Bundle.Size <= 0 || rel.Bundle.Size > MaxBundle:
		return fmt.Errorf("release %s: bundle of %d bytes, at most %d: %w", rel.Name, rel.Bundle.Size, int64(MaxBundle), ErrMalformed)
	}
	for _, o := range slices.Concat(rel.Inputs, rel.Outputs) {
		// The upper bound is the same on 32-bit devices, where a longer number is no int.
		if o.Type == "" || slices.ContainsFunc(o.Shape, func(d int) bool { return d < 1 || d > math.MaxInt32 }) {
			return fmt.Errorf("release %s: operand %.32q of shape %v: %w", rel.Name, o.Type, o.Shape, ErrMalformed)
		}
	}
	for _, d := range []string{rel.Bundle.SHA256, rel.Bundle.Index, rel.Model} {
		if !form.Digest(d) {
			return fmt.Errorf("release %s: digest %.80q: %w", rel.Name, d, ErrMalformed)
		}
	}
	return nil
}

// RunsOn reports whether the release may run on the platform (GOOS/GOARCH).
func (rel *Release) RunsOn(platform string) bool {
	for _, p := range rel.Platforms {
		if p == "*" || p == platform {
			return true
		}
	}
	return false
}

// Open checks an encoded bundle against the release and unpacks it: its bytes
// are the signed ones, and what it says of itself agrees with the release.
func (rel *Release) Open(bundle []byte) (*Bundle, error) {
	if int64(len(bundle)) != rel.Bundle.Size || Digest(bundle) != rel.Bundle.SHA256 {
		return nil, fmt.Errorf("release %s version %d: bundle of %d bytes: %w", rel.Name, rel.Version, len(bundle), ErrDigest)
	}
	b, err := OpenBundle(bundle)
	if err != nil {
		return nil, fmt.Errorf("release %s version %d: %w", rel.Name, rel.Version, err)
	}
	if b.Manifest.Name != rel.Name || b.Manifest.Version != rel.Version || Digest(b.Model) != rel.Model {
		return nil, fmt.Errorf("release %s version %d: the bundle says %s version %d, model %.8s: %w",
			rel.Name, rel.Version, b.Manifest.Name, b.Manifest.Version, Digest(b.Model), ErrBundle)
	}
	return b, nil
}
