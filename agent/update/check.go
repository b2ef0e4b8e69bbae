package update

import (
	"context"
	"fmt"
	"strings"

	"kedge/telemetry/trust"
)

// candidate is a bundle that is the signed one, and not yet known to work here.
type candidate struct {
	release *trust.Release
	digest  string // of the release document
	bundle  *trust.Bundle
}

// admit reports why a release may not run on this device, from what the document says.
func admit(rel *trust.Release, o Options, floors map[string]uint64) error {
	switch floor := floors[rel.Name]; {
	case !rel.RunsOn(o.Platform):
		return fmt.Errorf("%s version %d runs on %s, this is %s: %w",
			rel.Name, rel.Version, strings.Join(rel.Platforms, " "), o.Platform, ErrUnsupported)
	case !newEnough(o.AgentVersion, rel.MinAgent):
		return fmt.Errorf("%s version %d needs agent %.32s, this is %s: %w",
			rel.Name, rel.Version, rel.MinAgent, o.AgentVersion, ErrUnsupported)
	case rel.Version < floor:
		return fmt.Errorf("%s version %d < floor %d: %w", rel.Name, rel.Version, floor, ErrFloor)
	}
	return nil
}

// prove makes an Installed of a candidate: the model loads, is the one that the
// release describes, computes the golden samples byte for byte, and the agent can
// serve it.
func (c *candidate) prove(ctx context.Context, o Options, slot string) (*Installed, error) {
	i, err := c.load(o, slot)
	if err != nil {
		return nil, err
	}
	if err := selfTest(ctx, i.Model, c.bundle); err != nil {
		return nil, err
	}
	if err := o.Check(i); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return i, nil
}

// load is prove without the golden samples, for a slot that has been proved before.
func (c *candidate) load(o Options, slot string) (*Installed, error) {
	model, err := loadModel(c.bundle.Model, o.MaxArena)
	if err != nil {
		return nil, err
	}
	if err := compareModel(model, c.release, c.bundle); err != nil {
		return nil, err
	}
	return &Installed{Slot: slot, Release: c.release, Digest: c.digest, Bundle: c.bundle, Model: model}, nil
}

// Verify checks a .kedge file as Install does, all but the version floors that
// the device remembers, and writes nothing. Of o it uses Platform, AgentVersion,
// MaxArena and Check. The result is in no slot.
//
// Errors: those of trust for a file that is not the signed one, ErrUnsupported,
// ErrFloor, ErrMismatch, ErrGolden.
func Verify(ctx context.Context, root *trust.Root, kedgeFile []byte, o Options) (*Installed, error) {
	_, c, err := openFile(root, kedgeFile)
	if err != nil {
		return nil, err
	}
	floors := map[string]uint64{c.release.Name: c.release.SecurityFloor}
	if err := admit(c.release, o, floors); err != nil {
		return nil, err
	}
	return c.prove(ctx, o.withDefaults(), "")
}

// openFile verifies the documents of a .kedge file; its bundle is the signed one.
func openFile(root *trust.Root, kedgeFile []byte) (*trust.Package, *candidate, error) {
	p, err := trust.OpenPackage(kedgeFile)
	if err != nil {
		return nil, nil, err
	}
	rel, digest, err := root.VerifyRelease(p.Release)
	if err != nil {
		return nil, nil, err
	}
	bundle, err := rel.Open(p.Bundle)
	if err != nil {
		return nil, nil, err
	}
	return p, &candidate{release: rel, digest: digest, bundle: bundle}, nil
}
