package trust

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
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

// A Manifest describes a bundle's content.
type Manifest struct {
	Format  int    `json:"format"` // 1
	Name    string `json:"name"`
	Version uint64 `json:"version"`
	// Labels names the classes of the output, in order.
	Labels []string `json:"labels"`
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

// Encode packs the bundle. Equal bundles give equal bytes.
func (b *Bundle) Encode() ([]byte, error) {
	manifest, err := json.MarshalIndent(b.Manifest, "", " ")
	if err != nil {
		return nil, fmt.Errorf("bundle %s: %w", b.Manifest.Name, err)
	}
	if err := b.check(); err != nil {
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
	if buf.Len() > MaxBundle {
		return nil, fmt.Errorf("bundle %s of %d bytes, at most %d: %w", b.Manifest.Name, buf.Len(), int64(MaxBundle), ErrTooLarge)
	}
	return buf.Bytes(), nil
}

// zipEpoch is the earliest time that a zip archive can hold. Every entry has
// it, so that equal files give equal archives.
var zipEpoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func addFile(w *zip.Writer, name string, data []byte, method uint16) error {
	f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: method, Modified: zipEpoch})
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return err
}

// OpenBundle unpacks a bundle. The caller has checked the bytes against a
// release; the limits here hold even for a properly signed mistake.
func OpenBundle(data []byte) (*Bundle, error) {
	files, err := readZip(data, bundleFiles)
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
		} else if err := json.Unmarshal(content, &b.Manifest); err != nil {
			return nil, fmt.Errorf("%s: %w: %w", name, ErrBundle, err)
		}
	}
	return &b, b.check()
}

func (b *Bundle) check() error {
	m := b.Manifest
	switch {
	case m.Format != 1:
		return fmt.Errorf("%s: format %d, this version reads 1: %w", FileManifest, m.Format, ErrBundle)
	case !nameForm.MatchString(m.Name) || m.Version == 0:
		return fmt.Errorf("%s: name %.80q version %d: %w", FileManifest, m.Name, m.Version, ErrBundle)
	case m.GoldenSamples < 1 || len(b.GoldenInput)%m.GoldenSamples != 0 || len(b.GoldenOutput)%m.GoldenSamples != 0:
		return fmt.Errorf("golden: %d samples in %d and %d bytes: %w", m.GoldenSamples, len(b.GoldenInput), len(b.GoldenOutput), ErrBundle)
	case len(b.Model) == 0 || len(b.GoldenInput) == 0 || len(b.GoldenOutput) == 0:
		return fmt.Errorf("%s: an empty file: %w", m.Name, ErrBundle)
	}
	return nil
}

// readZip returns the wanted files of an archive, within maxUnpacked bytes.
// Other entries are passed over, so that later formats can add some.
func readZip(data []byte, wanted []string) (map[string][]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	files := make(map[string][]byte, len(wanted))
	left := int64(maxUnpacked)
	for _, name := range wanted {
		for _, f := range r.File {
			if f.Name != name {
				continue
			}
			if _, twice := files[name]; twice {
				return nil, fmt.Errorf("%s stands twice: %w", name, ErrBundle)
			}
			content, err := readFile(f, left)
			if err != nil {
				return nil, fmt.Errorf("%s: %w: %w", name, ErrBundle, err)
			}
			left -= int64(len(content))
			files[name] = content
		}
	}
	return files, nil
}

// readFile reads at most limit bytes, whatever size the entry claims.
func readFile(f *zip.File, limit int64) ([]byte, error) {
	rc, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	content, err := io.ReadAll(io.LimitReader(rc, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, ErrTooLarge
	}
	return content, nil
}
