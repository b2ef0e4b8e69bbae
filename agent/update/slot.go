package update

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"kedge/telemetry/trust"
)

// Names in the state directory.
const (
	fileRoot    = "root.json"
	fileActive  = "active"
	dirSlots    = "slots"
	fileRelease = "release.json"
	fileBundle  = "bundle.zip"
	// A staging map claims chunks, so that only those have to be hashed again.
	fileStagingHead = "staging.json"
	fileStagingMap  = "staging.map"
)

// slotNames lists the slots in the order in which they are looked at.
var slotNames = [...]string{"a", "b"}

func otherSlot(slot string) string {
	if slot == "a" {
		return "b"
	}
	return "a"
}

// disk is the state directory.
//
// Invariant: a slot with a release.json holds the bundle that it names, whole
// and synced, but for damage to the disk itself.
type disk struct {
	files FileSystem
	dir   string
}

func (d disk) path(name string) string { return filepath.Join(d.dir, name) }

func (d disk) slot(slot string, names ...string) string {
	return filepath.Join(append([]string{d.dir, dirSlots, slot}, names...)...)
}

func (d disk) prepare() error {
	for _, slot := range slotNames {
		if err := d.files.MkdirAll(d.slot(slot)); err != nil {
			return err
		}
	}
	return errors.Join(d.files.SyncDir(d.path(dirSlots)), d.files.SyncDir(d.dir))
}

func (d disk) readRoot() (root *trust.Root, envelope []byte, err error) {
	name := d.path(fileRoot)
	envelope, err = d.files.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%s: %w", name, ErrNotEnrolled)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w: %w", name, ErrStorage, err)
	}
	if root, err = trust.OpenRoot(envelope); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return root, envelope, nil
}

// readPointer returns the slot in service; empty if there is none or the file says something else.
func (d disk) readPointer() string {
	content, err := d.files.ReadFile(d.path(fileActive))
	slot := strings.TrimSpace(string(content))
	if err != nil || slot != "a" && slot != "b" {
		return ""
	}
	return slot
}

// writePointer puts a slot into service; an empty one takes the last one out of it.
func (d disk) writePointer(slot string) error {
	if slot != "" {
		return replaceFile(d.files, d.path(fileActive), []byte(slot))
	}
	if err := removeAll(d.files, d.path(fileActive)); err != nil {
		return err
	}
	return d.files.SyncDir(d.dir)
}

// empty makes a slot hold nothing. The release goes first and for good, so that
// what follows can never be taken for a whole slot.
func (d disk) empty(slot string) error {
	if err := removeAll(d.files, d.slot(slot, fileRelease)); err != nil {
		return err
	}
	if err := d.files.SyncDir(d.slot(slot)); err != nil {
		return err
	}
	return removeAll(d.files, d.slot(slot, fileBundle), d.slot(slot, fileRoot),
		d.slot(slot, fileStagingHead), d.slot(slot, fileStagingMap))
}

// seal makes a slot valid whose bundle is whole, verified and synced.
func (d disk) seal(slot string, release []byte) error {
	root, err := d.files.ReadFile(d.path(fileRoot))
	if err != nil {
		return err
	}
	if err := replaceFile(d.files, d.slot(slot, fileRoot), root); err != nil {
		return err
	}
	if err := replaceFile(d.files, d.slot(slot, fileRelease), release); err != nil {
		return err
	}
	return removeAll(d.files, d.slot(slot, fileStagingHead), d.slot(slot, fileStagingMap))
}

// readSlot verifies what a slot holds, from the signature to the bytes on disk.
func (d disk) readSlot(slot string, root *trust.Root) (*candidate, error) {
	rel, digest, err := d.readRelease(slot, root)
	if err != nil {
		return nil, err
	}
	data, err := d.files.ReadFile(d.slot(slot, fileBundle))
	if err != nil {
		return nil, fmt.Errorf("slot %s: %w: %w", slot, ErrStorage, err)
	}
	bundle, err := rel.Open(data)
	if err != nil {
		return nil, fmt.Errorf("slot %s: %w", slot, err)
	}
	return &candidate{release: rel, digest: digest, bundle: bundle}, nil
}

// readRelease verifies the release of a slot; an empty slot yields ErrNoModel.
//
// A release that the present root's keys did not sign is taken if those of the
// root did under which it was installed. A change of keys stops new releases of
// the old keys; that it should stop inference on the whole fleet at the next
// power cut is not what anybody means by it.
func (d disk) readRelease(slot string, root *trust.Root) (*trust.Release, string, error) {
	envelope, err := d.files.ReadFile(d.slot(slot, fileRelease))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("slot %s: %w", slot, ErrNoModel)
	}
	if err != nil {
		return nil, "", fmt.Errorf("slot %s: %w: %w", slot, ErrStorage, err)
	}
	rel, digest, err := root.VerifyRelease(envelope)
	if errors.Is(err, trust.ErrSignature) {
		if then, rootErr := d.slotRoot(slot); rootErr == nil {
			rel, digest, err = then.VerifyRelease(envelope)
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("slot %s: %w", slot, err)
	}
	return rel, digest, nil
}

func (d disk) slotRoot(slot string) (*trust.Root, error) {
	envelope, err := d.files.ReadFile(d.slot(slot, fileRoot))
	if err != nil {
		return nil, err
	}
	return trust.OpenRoot(envelope)
}
