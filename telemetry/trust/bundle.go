package trust

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"kedge/telemetry/form"
)

// Names of the files in a bundle.
const (
	FileManifest     = "manifest.json"
	FileModel        = "model.tflite"
	FileFeatures     = "features.json"
	FileReference    = "reference.json"
	FileReferences   = "references.json"
	FileInputs       = "inputs.json"
	FileGoldenInput  = "golden/input.bin"
	FileGoldenOutput = "golden/output.bin"
)

// bundleFiles lists the files that a bundle needs, in the order in which they are
// written: without golden vectors a device cannot prove itself, and without features
// or reference it would guess.
var bundleFiles = []string{FileManifest, FileFeatures, FileReference, FileGoldenInput, FileGoldenOutput, FileModel}

// optionalFiles follow them, where there are any.
var optionalFiles = []string{FileReferences, FileInputs}

// maxWatch bounds each optional file: who watches the inputs of a model with a
// thousand of them would have more to load than the model.
const maxWatch = 1 << 20

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
	// Signal names the number that the drift detectors watch first of all: "top1", the
	// highest class probability, or another one that Signals declares.
	Signal string `json:"signal"`
	// Signals declares all that are watched side by side, Signal the first; nil means
	// Signal alone, without a range. At most MaxSignals, each once.
	Signals []Signal `json:"signals,omitempty"`
	// Context says in which circumstances a sample was taken, each of which has its own
	// reference; nil: they are all one.
	Context *Context `json:"context,omitempty"`
	// Accuracy is what a device needs to estimate how right it is without labels; nil: it
	// tells only how much less sure it has become.
	Accuracy *Accuracy `json:"accuracy,omitempty"`
	// GoldenSamples is the number of samples in golden/, at least 1: raw
	// little-endian tensors, samples one after another, as `kedge infer` reads and writes them.
	GoldenSamples int `json:"golden_samples"`
}

// MaxSignals is how many signals a bundle may declare.
const MaxSignals = 8

// A Signal is a number that is watched, as docs/protocol.md defines them by name.
type Signal struct {
	Name string `json:"name"`
	// Low and High are its range, where it needs one.
	Low  float64 `json:"low,omitempty"`
	High float64 `json:"high,omitempty"`
	// Falling: the higher the output, the worse.
	Falling bool `json:"falling,omitempty"`
}

// A Context is a declared circumstance of samples, as docs/protocol.md defines them.
type Context struct {
	Key   string    `json:"key"`
	Edges []float64 `json:"edges,omitempty"` // of a feature's bins, rising
}

// Accuracy is a threshold of confidence that was fitted on held-out samples: as large a
// share of them was above it as was answered right.
type Accuracy struct {
	Threshold uint8   `json:"threshold"` // floor(256 x confidence), at most 255
	Share     float64 `json:"share"`     // what a confidence on the threshold counts, 0 to 1
	Accuracy  float64 `json:"accuracy"`  // on those samples
	N         int     `json:"n"`         // how many they were
}

// Watched lists the signals, the first one's reference in reference.json and those of
// the others in references.json.
func (m *Manifest) Watched() []Signal {
	if len(m.Signals) == 0 {
		return []Signal{{Name: m.Signal}}
	}
	return m.Signals
}

// A Bundle is everything that a device needs to run a model: a zip archive of
// the files named above.
type Bundle struct {
	Manifest     Manifest
	Model        []byte // a .tflite file
	Features     []byte // JSON array of the input columns: name, transform, mean, scale
	Reference    []byte // JSON: histogram of the signal on held-out samples
	References   []byte // JSON object: the same of every further signal, by name; nil if there is none
	Inputs       []byte // JSON: histograms of the features in training; nil: inputs are not watched
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
	case FileReferences:
		return &b.References
	case FileInputs:
		return &b.Inputs
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
	for _, name := range slices.Concat(bundleFiles, optionalFiles) {
		data := manifest
		if name != FileManifest {
			data = *b.file(name)
		}
		if data == nil {
			continue
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
	files, err := readZip(data, slices.Concat(bundleFiles, optionalFiles), int64(unpacked))
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
	for _, name := range optionalFiles {
		*b.file(name) = files[name]
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
	for _, name := range optionalFiles {
		content := *b.file(name)
		if content != nil && len(content) == 0 || len(content) > maxWatch {
			return fmt.Errorf("%s of %d bytes, want 1 to %d: %w", name, len(content), maxWatch, ErrBundle)
		}
		size += len(content)
	}
	switch {
	case size > unpacked:
		return fmt.Errorf("files of %d bytes together, at most %d: %w: %w", size, unpacked, ErrBundle, ErrTooLarge)
	case m.Format != 1:
		return fmt.Errorf("%s: format %d, this version reads 1: %w", FileManifest, m.Format, ErrBundle)
	case !form.Name(m.Name) || m.Version == 0:
		return fmt.Errorf("%s: name %.80q version %d: %w", FileManifest, m.Name, m.Version, ErrBundle)
	case m.GoldenSamples < 1 || len(b.GoldenInput)%m.GoldenSamples != 0 || len(b.GoldenOutput)%m.GoldenSamples != 0:
		return fmt.Errorf("golden: %d samples in %d and %d bytes: %w", m.GoldenSamples, len(b.GoldenInput), len(b.GoldenOutput), ErrBundle)
	}
	if err := m.checkSignals(); err != nil {
		return err
	}
	return m.checkLabels()
}

// checkSignals refuses a list that contradicts itself; whether the signals are known
// is for whoever watches them to say.
func (m *Manifest) checkSignals() error {
	if a := m.Accuracy; a != nil && (!(a.Share >= 0 && a.Share <= 1) || !(a.Accuracy >= 0 && a.Accuracy <= 1) || a.N < 1) {
		return fmt.Errorf("%s: accuracy %+v: %w", FileManifest, *a, ErrBundle)
	}
	if len(m.Signals) > MaxSignals || len(m.Signals) > 0 && m.Signals[0].Name != m.Signal {
		return fmt.Errorf("%s: %d signals of which %.40q is the first, at most %d: %w", FileManifest, len(m.Signals), m.Signal, MaxSignals, ErrBundle)
	}
	for i, s := range m.Signals {
		if slices.ContainsFunc(m.Signals[:i], func(o Signal) bool { return o.Name == s.Name }) {
			return fmt.Errorf("%s: signal %.40q twice: %w", FileManifest, s.Name, ErrBundle)
		}
	}
	return nil
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
