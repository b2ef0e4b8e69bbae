package trust

import (
	"archive/zip"
	"bytes"
	"fmt"
)

// Names of the files in a package.
const (
	filePackageRelease = "release.json"
	filePackageBundle  = "bundle.zip"
)

// A Package is a release that travels on a stick instead of over the air, the
// content of a .kedge file: the release envelope and its bundle. It needs the
// same signatures; who holds the stick assigns it.
type Package struct {
	Release []byte // a release envelope
	Bundle  []byte // an encoded bundle
}

// Encode packs p as a zip archive with both files stored as they are.
func (p *Package) Encode() ([]byte, error) {
	if len(p.Release) > maxEnvelope || len(p.Bundle) > MaxBundle {
		return nil, fmt.Errorf("package: release of %d bytes and bundle of %d, at most %d and %d: %w",
			len(p.Release), len(p.Bundle), maxEnvelope, MaxBundle, ErrTooLarge)
	}
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, f := range []struct {
		name string
		data []byte
	}{{filePackageRelease, p.Release}, {filePackageBundle, p.Bundle}} {
		if err := addFile(w, f.name, f.data, zip.Store); err != nil {
			return nil, fmt.Errorf("package: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("package: %w", err)
	}
	return buf.Bytes(), nil
}

// maxPackage bounds the content of a package: an envelope and a bundle.
const maxPackage = maxEnvelope + MaxBundle

// OpenPackage unpacks a .kedge file. Nothing in it is verified yet.
func OpenPackage(data []byte) (*Package, error) {
	files, err := readZip(data, []string{filePackageRelease, filePackageBundle}, maxPackage)
	if err != nil {
		return nil, fmt.Errorf("package: %w", err)
	}
	p := &Package{Release: files[filePackageRelease], Bundle: files[filePackageBundle]}
	if p.Release == nil || p.Bundle == nil {
		return nil, fmt.Errorf("package: %s or %s is missing: %w", filePackageRelease, filePackageBundle, ErrBundle)
	}
	return p, nil
}
