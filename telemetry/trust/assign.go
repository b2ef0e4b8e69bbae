package trust

import (
	"fmt"
	"time"

	"kedge/telemetry/form"
)

// An Assign is the payload of an assign envelope: this device, or this group,
// is to run this release.
type Assign struct {
	Type string `json:"type"` // "assign"
	Site string `json:"site"`
	// Exactly one of Device and Group is set. A device's own assignment wins over its group's.
	Device string `json:"device,omitempty"`
	Group  string `json:"group,omitempty"`
	// Release is the DocumentDigest of the release.
	Release string `json:"release"`
	// Sequence rises, from 1, with every assignment to the same device or group;
	// a device refuses one that is lower than the highest it has seen.
	Sequence uint64 `json:"sequence"`
	// Mode is "active": take it into service once it is verified.
	Mode   string    `json:"mode"`
	Issued time.Time `json:"issued"`
	// NotAfter ends the assignment's validity; after it the device does not begin the update.
	NotAfter time.Time `json:"not_after"`
	// SpreadSeconds spreads the download of many devices over that time, at most a week.
	SpreadSeconds int `json:"spread_seconds,omitempty"`
}

// ModeActive is the only mode so far: the release replaces the running model.
const ModeActive = "active"

// maxSpreadSeconds is a week. Without a limit a stolen assign key could ask for
// a time that overflows a time.Duration.
const maxSpreadSeconds = 7 * 24 * 60 * 60

// VerifyAssign returns the assignment in the envelope if the assign role signed it.
// Whether it concerns this device, and is new, is the caller's question.
func (r *Root) VerifyAssign(envelope []byte) (*Assign, error) {
	payload, err := r.Verify(RoleAssign, TypeAssign, envelope)
	if err != nil {
		return nil, err
	}
	var a Assign
	if err := unmarshalExact(payload, &a); err != nil {
		return nil, fmt.Errorf("assign: %w: %w", ErrMalformed, err)
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return &a, nil
}

func (a *Assign) check() error {
	target := a.Device
	if target == "" {
		target = a.Group
	}
	switch {
	case a.Type != "assign":
		return fmt.Errorf("assign: type %.32q: %w", a.Type, ErrMalformed)
	case (a.Device == "") == (a.Group == ""):
		return fmt.Errorf("assign: device %.64q and group %.64q, want exactly one: %w", a.Device, a.Group, ErrMalformed)
	case !form.Name(a.Site) || !form.Name(target):
		return fmt.Errorf("assign: site %.80q, device or group %.80q: %w", a.Site, target, ErrMalformed)
	case !form.Digest(a.Release):
		return fmt.Errorf("assign: release %.80q is no SHA-256: %w", a.Release, ErrMalformed)
	case a.Sequence == 0:
		return fmt.Errorf("assign: sequence 0, want 1 or more: %w", ErrMalformed)
	case a.Mode != ModeActive:
		return fmt.Errorf("assign: mode %.32q, want %q: %w", a.Mode, ModeActive, ErrMalformed)
	case !a.NotAfter.After(a.Issued):
		return fmt.Errorf("assign: issued %s, not after %s: %w", a.Issued.Format(time.RFC3339), a.NotAfter.Format(time.RFC3339), ErrMalformed)
	case a.SpreadSeconds < 0 || a.SpreadSeconds > maxSpreadSeconds:
		return fmt.Errorf("assign: spread of %d s, at most %d: %w", a.SpreadSeconds, maxSpreadSeconds, ErrMalformed)
	}
	return nil
}
