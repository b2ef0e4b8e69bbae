package inputs

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Bins is the number of bins of every histogram.
const Bins = 256

// histogramVersion begins an encoded histogram.
const histogramVersion = 1

// Refusals of histograms.
var (
	// ErrHistogram: encoded bytes are not a histogram.
	ErrHistogram = errors.New("malformed histogram")
	// ErrOverflow: a count would exceed 32 bits.
	ErrOverflow = errors.New("histogram overflow")
)

// Histogram counts the values of a feature. Those of several devices merge if they
// were counted in the bins of the same reference.
type Histogram struct {
	Counts  [Bins]uint32
	Missing uint32 // rows without a value
}

// N is the number of values, the missing ones excluded.
func (h *Histogram) N() int64 {
	n := int64(0)
	for _, c := range h.Counts {
		n += int64(c)
	}
	return n
}

// Merge adds the counts of another histogram. On error h is unchanged.
func (h *Histogram) Merge(other *Histogram) error {
	sum := *h
	for i, c := range other.Counts {
		if c > math.MaxUint32-sum.Counts[i] {
			return fmt.Errorf("inputs: %w: bin %d holds %d and %d", ErrOverflow, i, sum.Counts[i], c)
		}
		sum.Counts[i] += c
	}
	if other.Missing > math.MaxUint32-sum.Missing {
		return fmt.Errorf("inputs: %w: %d and %d missing values", ErrOverflow, sum.Missing, other.Missing)
	}
	sum.Missing += other.Missing
	*h = sum
	return nil
}

// AppendBinary appends a version byte, the missing values, the number of bins in
// use, and for each of these its distance from the one before and its count, all as
// unsigned varints: a few bytes for each bin in use.
func (h *Histogram) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, histogramVersion)
	b = binary.AppendUvarint(b, uint64(h.Missing))
	return appendCounts(b, h.Counts[:]), nil
}

// MarshalBinary is AppendBinary to nothing.
func (h *Histogram) MarshalBinary() ([]byte, error) { return h.AppendBinary(nil) }

// UnmarshalBinary reads what AppendBinary wrote. On error h is unchanged.
func (h *Histogram) UnmarshalBinary(b []byte) error {
	d := decoder{buf: b, damaged: ErrHistogram}
	if v := d.u8(); d.err == nil && v != histogramVersion {
		d.fail(fmt.Sprintf("version %d, want %d", v, histogramVersion))
	}
	next := Histogram{Missing: uint32(d.uvarint(math.MaxUint32, "missing values"))}
	decodeCounts(&d, next.Counts[:])
	if err := d.end(); err != nil {
		return err
	}
	*h = next
	return nil
}

// MarshalText is the binary form in base64, for JSON.
func (h *Histogram) MarshalText() ([]byte, error) {
	b, err := h.MarshalBinary()
	return base64.RawURLEncoding.AppendEncode(nil, b), err
}

// UnmarshalText reads what MarshalText wrote.
func (h *Histogram) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("inputs: %w: %w", ErrHistogram, err)
	}
	return h.UnmarshalBinary(b)
}

type count interface{ uint8 | uint16 | uint32 }

func appendCounts[T count](b []byte, counts []T) []byte {
	used := 0
	for _, c := range counts {
		if c != 0 {
			used++
		}
	}
	b = binary.AppendUvarint(b, uint64(used))
	gap := 0
	for _, c := range counts {
		if c == 0 {
			gap++
			continue
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(gap)), uint64(c))
		gap = 0
	}
	return b
}

// decodeCounts fills zeroed counts.
func decodeCounts[T count](d *decoder, counts []T) {
	next := 0
	for range d.uvarint(uint64(len(counts)), "bins in use") {
		next += int(d.uvarint(Bins, "a distance between bins"))
		c := d.uvarint(uint64(^T(0)), "a count")
		if d.err == nil && (next >= len(counts) || c == 0) {
			d.fail("a bin is out of range or empty")
		}
		if d.err != nil {
			return
		}
		counts[next] = T(c)
		next++
	}
}
