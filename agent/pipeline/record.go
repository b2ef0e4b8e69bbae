package pipeline

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// ErrRecord says that bytes are no record of a sample.
var ErrRecord = errors.New("not a record of a sample")

// A Record is a sample with its answer, as the input ring holds it: what is sent
// as evidence must not depend on the model that is in service by then.
type Record struct {
	Boot       string // boot id under which Sequence counts, at most 255 bytes
	Sequence   uint64
	Time       time.Time
	Label      string // at most 255 bytes
	Confidence float64
	X          []float32 // before standardization
}

// recordFixed is what precedes the names: sequence, Unix time in nanoseconds,
// bits of the confidence, all little-endian, and the lengths of both names.
const recordFixed = 8 + 8 + 8 + 1 + 1

// AppendRecord appends r's encoding to b. Names that are too long are cut.
func AppendRecord(b []byte, r *Record) []byte {
	boot, label := r.Boot[:min(len(r.Boot), 255)], r.Label[:min(len(r.Label), 255)]
	b = binary.LittleEndian.AppendUint64(b, r.Sequence)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Time.UnixNano()))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Confidence))
	b = append(b, byte(len(boot)), byte(len(label)))
	b = append(b, boot...)
	b = append(b, label...)
	for _, v := range r.X {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// ParseRecord decodes what AppendRecord wrote.
func ParseRecord(b []byte) (Record, error) {
	if len(b) < recordFixed {
		return Record{}, fmt.Errorf("%d bytes: %w", len(b), ErrRecord)
	}
	r := Record{
		Sequence:   binary.LittleEndian.Uint64(b),
		Time:       time.Unix(0, int64(binary.LittleEndian.Uint64(b[8:]))).UTC(),
		Confidence: math.Float64frombits(binary.LittleEndian.Uint64(b[16:])),
	}
	boot, label, rest := int(b[24]), int(b[25]), b[recordFixed:]
	if len(rest) < boot+label || (len(rest)-boot-label)%4 != 0 {
		return Record{}, fmt.Errorf("%d bytes for names of %d and %d: %w", len(b), boot, label, ErrRecord)
	}
	r.Boot, r.Label = string(rest[:boot]), string(rest[boot:boot+label])
	rest = rest[boot+label:]
	r.X = make([]float32, len(rest)/4)
	for i := range r.X {
		r.X[i] = math.Float32frombits(binary.LittleEndian.Uint32(rest[4*i:]))
	}
	return r, nil
}
