package trust

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
)

// Names of the files in a bundle.
const (
	FileManifest     = "manifest.json"
	FileModel        = "model.tflite"
	FileFeatures     = "features.json"
	FileReference    = "reference.json"
	FileGoldenInput  = "golden/input.bin"
	FileGoldenOutput = "golden/output.bin"
)

// bundleFiles lists a bundle's files in the order in which they are written.
// All are required: without golden vectors a device cannot prove itself, and
// without features or reference it would guess.
var bundleFiles = []string{FileManifest, FileFeatures, FileReference, FileGoldenInput, FileGoldenOutput, FileModel}

// maxUnpacked bounds what the files of a bundle may inflate to, together.
const maxUnpacked = 64 << 20

// maxLabel is the longest class name in bytes, the most that a message about it can hold.
const maxLabel = 128

// A Manifest describes a bundle's content.
type Manifest struct {
	Format  int    `json:"format"` // 1
	Name    string `json:"name"`
	Version uint64 `json:"version"`
	// Labels names the classes of the output, in order: different ones, 1 to 128 bytes each.
	Labels []string `json:"labels,omitempty"`
	// Signal says which number the drift detectors watch: "top1", the highest class probability.
	Signal string `json:"signal"`
	// GoldenSamples is the number of samples in golden/, at least 1: raw
	// little-endian tensors, samples one after another, as `kedge infer` reads and writes them.
	GoldenSamples int `json:"golden_samples"`
}

// A Bundle is everything that a device needs to run a model: a zip archive of
// the files named above.
type Bundle struct {
	Manifest     Manifest
	Model        []byte // a .tflite file
	Features     []byte // JSON array of the input columns: name, transform, mean, scale
	Reference    []byte // JSON: histogram of the signal on held-out samples
	GoldenInput  []byte
	GoldenOutput []byte // what every board has to compute from GoldenInput, byte for byte
}

func (b *Bundle) file(name string) *[]byte {
	switch name {
	case FileModel:
		return &b.Model
	case FileFeatures:
		return &b.Features
	case FileReference:
		return &b.Reference
	case FileGoldenInput:
		return &b.GoldenInput
	case FileGoldenOutput:
		return &b.GoldenOutput
	}
	panic("BUG: no bundle file " + name)
}

// Encode packs the bundle. Equal bundles give equal bytes, as long as both were
// packed with the same release of Go: another one may compress differently.
func (b *Bundle) Encode() ([]byte, error) { return b.encode(maxUnpacked, MaxBundle) }

// encode is Encode with limits of the files together and of the archive.
func (b *Bundle) encode(unpacked, packed int) ([]byte, error) {
	manifest, err := json.MarshalIndent(b.Manifest, "", " ")
	if err != nil {
		return nil, fmt.Errorf("bundle %s: %w", b.Manifest.Name, err)
	}
	if err := b.check(len(manifest), unpacked); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range bundleFiles {
		data := manifest
		if name != FileManifest {
			data = *b.file(name)
		}
		if err := addFile(w, name, data, zip.Deflate); err != nil {
			return nil, fmt.Errorf("bundle %s: %w", b.Manifest.Name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", b.Manifest.Name, err)
	}
	if buf.Len() > packed {
		return nil, fmt.Errorf("bundle %s of %d bytes, at most %d: %w", b.Manifest.Name, buf.Len(), packed, ErrTooLarge)
	}
	return buf.Bytes(), nil
}

// OpenBundle unpacks a bundle. The caller has checked the bytes against a
// release; the limits here hold even for a properly signed mistake.
func OpenBundle(data []byte) (*Bundle, error) { return openBundle(data, maxUnpacked) }

func openBundle(data []byte, unpacked int) (*Bundle, error) {
	files, err := readZip(data, bundleFiles, int64(unpacked))
	if err != nil {
		return nil, err
	}
	var b Bundle
	for _, name := range bundleFiles {
		content, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("%s is missing: %w", name, ErrBundle)
		}
		if name != FileManifest {
			*b.file(name) = content
		} else if err := unmarshalExact(content, &b.Manifest); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", name, ErrBundle, err)
		}
	}
	if err := b.check(len(files[FileManifest]), unpacked); err != nil {
		return nil, err
	}
	return &b, nil
}

// check is Encode's and OpenBundle's alike: what one writes, the other reads.
func (b *Bundle) check(manifestBytes, unpacked int) error {
	m := b.Manifest
	size := min(manifestBytes, unpacked+1)
	for _, name := range bundleFiles[1:] {
		content := *b.file(name)
		if len(content) == 0 {
			return fmt.Errorf("%s is empty: %w", name, ErrBundle)
		}
		size += min(len(content), unpacked+1) // six of them fit an int of 32 bits
	}
	switch {
	case size > unpacked:
		return fmt.Errorf("files of %d bytes together, at most %d: %w: %w", size, unpacked, ErrBundle, ErrTooLarge)
	case m.Format != 1:
		return fmt.Errorf("%s: format %d, this version reads 1: %w", FileManifest, m.Format, ErrBundle)
	case !nameForm.MatchString(m.Name) || m.Version == 0:
		return fmt.Errorf("%s: name %.80q version %d: %w", FileManifest, m.Name, m.Version, ErrBundle)
	case m.GoldenSamples < 1 || len(b.GoldenInput)%m.GoldenSamples != 0 || len(b.GoldenOutput)%m.GoldenSamples != 0:
		return fmt.Errorf("golden: %d samples in %d and %d bytes: %w", m.GoldenSamples, len(b.GoldenInput), len(b.GoldenOutput), ErrBundle)
	}
	return m.checkLabels()
}

// checkLabels refuses class names that a drift report or a label could not carry,
// or could not tell apart.
func (m *Manifest) checkLabels() error {
	seen := make(map[string]bool, len(m.Labels))
	for i, label := range m.Labels {
		if label == "" || len(label) > maxLabel || seen[label] {
			return fmt.Errorf("%s: label %d, %.160q, is empty, longer than %d bytes or there twice: %w", FileManifest, i, label, maxLabel, ErrBundle)
		}
		seen[label] = true
	}
	return nil
}
