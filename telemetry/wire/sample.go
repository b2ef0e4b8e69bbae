package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxLabel is the longest class name in bytes.
const maxLabel = 128

// A SampleID names one input of one device for ever: device, boot, sequence
// number. Its text form is "<device>/<boot id>/<sequence>".
type SampleID struct {
	Device   string
	Boot     string
	Sequence uint64
}

// String returns the text form.
func (id SampleID) String() string {
	return id.Device + "/" + id.Boot + "/" + strconv.FormatUint(id.Sequence, 10)
}

// ParseSampleID reads the text form.
func ParseSampleID(s string) (SampleID, error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || CheckName(parts[0]) != nil || CheckName(parts[1]) != nil {
		return SampleID{}, fmt.Errorf("sample id %.160q: want device/boot/sequence: %w", s, ErrMalformed)
	}
	n, err := strconv.ParseUint(parts[2], 10, 64)
	// One name for one sample: "07" would be a second one for "7".
	if err != nil || strconv.FormatUint(n, 10) != parts[2] {
		return SampleID{}, fmt.Errorf("sample id %.160q: sequence: %w", s, ErrMalformed)
	}
	return SampleID{Device: parts[0], Boot: parts[1], Sequence: n}, nil
}

// Float32s is a vector of features, base64 of little-endian float32 in JSON:
// exact, and a third of what decimal digits take.
type Float32s []byte

// PackFloat32s encodes x.
func PackFloat32s(x []float32) Float32s {
	b := make(Float32s, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// Unpack decodes the vector.
func (b Float32s) Unpack() ([]float32, error) {
	if len(b)%4 != 0 {
		return nil, malformed("%d bytes are no float32 vector", len(b))
	}
	x := make([]float32, len(b)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return x, nil
}

// finite reports whether b is a vector without NaN and infinities. No device
// takes those for a valid input, and one of them would spoil a whole training.
func (b Float32s) finite() bool {
	for i := 0; i+4 <= len(b); i += 4 {
		const exponent = 0x7f800000 // all ones: NaN or an infinity
		if binary.LittleEndian.Uint32(b[i:])&exponent == exponent {
			return false
		}
	}
	return len(b)%4 == 0
}

// A Sample is one input as the device saw it, and what it answered.
type Sample struct {
	ID   string    `json:"id"` // a SampleID
	Time time.Time `json:"time"`
	// X is the input before standardization, in the order of the bundle's features; all finite.
	X          Float32s `json:"x"`
	Label      string   `json:"label"`      // the class that the device answered, at most 128 bytes
	Confidence float64  `json:"confidence"` // of that class, 0 to 1
}

// Evidence is one part of the samples around an alarm. Every part can be read
// by itself; parts may arrive in any order and more than once.
type Evidence struct {
	V     int    `json:"v"`
	ID    string `json:"id"`    // as in the drift report
	Part  int    `json:"part"`  // from 0
	Last  bool   `json:"last"`  // no further part follows
	Model string `json:"model"` // SHA-256 of the model that answered
	// Samples before the alarm come first, then those captured after it.
	Samples []Sample `json:"samples,omitempty"`
}

// Check implements Message.
func (e *Evidence) Check() error {
	if e.V != Version || CheckName(e.ID) != nil || e.Part < 0 {
		return malformed("version %d, id %.64q, part %d", e.V, e.ID, e.Part)
	}
	for i, s := range e.Samples {
		if _, err := ParseSampleID(s.ID); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
		if !s.X.finite() || !(s.Confidence >= 0 && s.Confidence <= 1) || len(s.Label) > maxLabel {
			return malformed("sample %d: %d bytes of features, label %.160q, confidence %g", i, len(s.X), s.Label, s.Confidence)
		}
	}
	return nil
}

// Labels is ground truth for samples, sent when it becomes known.
type Labels struct {
	V      int     `json:"v"`
	Labels []Label `json:"labels,omitempty"`
}

// A Label is the true class of one sample.
type Label struct {
	// Sample is a SampleID. If it is not known, Device and Time name the
	// sample that was nearest in time on that device.
	Sample string    `json:"sample,omitempty"`
	Device string    `json:"device,omitempty"`
	Time   time.Time `json:"time,omitzero"`
	Label  string    `json:"label"`
}

// Check implements Message.
func (l *Labels) Check() error {
	if l.V != Version {
		return malformed("version %d, want %d", l.V, Version)
	}
	for i, one := range l.Labels {
		switch {
		case one.Label == "" || len(one.Label) > maxLabel:
			return malformed("label %d: %.160q", i, one.Label)
		case one.Sample == "" && (CheckName(one.Device) != nil || one.Time.IsZero()):
			return malformed("label %d: neither a sample nor a device and a time", i)
		case one.Sample != "":
			if _, err := ParseSampleID(one.Sample); err != nil {
				return fmt.Errorf("label %d: %w", i, err)
			}
		}
	}
	return nil
}
