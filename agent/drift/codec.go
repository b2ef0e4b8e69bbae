package drift

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Every snapshot begins with its format version and the kind of what it holds.
const snapshotVersion = 2

const (
	kindFrozen byte = iota + 1
	kindRiver
	kindESR
	kindMonitor
	kindCusum
	kindAdwin
	kindMOA
	kindDDM
)

// encoder appends fixed-width little-endian values: snapshots stay a few hundred
// bytes, so simplicity beats the savings of variable widths.
type encoder struct{ buf []byte }

func newEncoder(kind byte) *encoder {
	return &encoder{buf: []byte{snapshotVersion, kind}}
}

func (e *encoder) u8(v byte)     { e.buf = append(e.buf, v) }
func (e *encoder) u64(v uint64)  { e.buf = binary.LittleEndian.AppendUint64(e.buf, v) }
func (e *encoder) i64(v int64)   { e.u64(uint64(v)) }
func (e *encoder) f64(v float64) { e.u64(math.Float64bits(v)) }

func (e *encoder) f32(v float32) {
	e.buf = binary.LittleEndian.AppendUint32(e.buf, math.Float32bits(v))
}

func (e *encoder) flag(v bool) {
	if v {
		e.u8(1)
	} else {
		e.u8(0)
	}
}

func (e *encoder) bytes(v []byte) {
	e.u64(uint64(len(v)))
	e.buf = append(e.buf, v...)
}

// decoder reads what an encoder wrote. The first failure sticks; what is read
// after it is zero.
type decoder struct {
	buf []byte
	err error
}

// newDecoder checks the version and the kind.
func newDecoder(snapshot []byte, kind byte) *decoder {
	d := &decoder{buf: snapshot}
	version, got := d.u8(), d.u8()
	switch {
	case d.err != nil:
	case version != snapshotVersion:
		d.err = fmt.Errorf("drift: %w: got %d, want %d", ErrSnapshotVersion, version, snapshotVersion)
	case got != kind:
		d.err = fmt.Errorf("drift: %w: got kind %d, want %d", ErrSnapshotDetector, got, kind)
	}
	return d
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("drift: %w: %s", ErrSnapshotDamaged, what)
	}
}

func (d *decoder) take(n int) []byte {
	if d.err != nil {
		return nil
	}
	if n < 0 || n > len(d.buf) {
		d.fail("ends early")
		return nil
	}
	taken := d.buf[:n]
	d.buf = d.buf[n:]
	return taken
}

func (d *decoder) u8() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *decoder) i64() int64 { return int64(d.u64()) }

// maxCount bounds whatever is counted so that counting on cannot overflow.
const maxCount = 1 << 60

// count reads a count or an integer sum.
func (d *decoder) count(what string) int64 {
	v := d.i64()
	if v < 0 || v > maxCount {
		d.fail(what + " is out of range")
		return 0
	}
	return v
}

// f64 reads a float that must be finite.
func (d *decoder) f64(what string) float64 {
	v := math.Float64frombits(d.u64())
	if !finite(v) {
		d.fail(what + " is not finite")
		return 0
	}
	return v
}

func (d *decoder) f32(what string) float32 {
	b := d.take(4)
	if b == nil {
		return 0
	}
	v := math.Float32frombits(binary.LittleEndian.Uint32(b))
	if !finite(float64(v)) {
		d.fail(what + " is not finite")
		return 0
	}
	return v
}

func (d *decoder) flag(what string) bool {
	v := d.u8()
	if v > 1 {
		d.fail(what + " is neither 0 nor 1")
	}
	return v == 1
}

func (d *decoder) bytes() []byte {
	n := d.u64()
	if n > uint64(len(d.buf)) {
		d.fail("ends early")
		return nil
	}
	return d.take(int(n))
}

// same fails unless the parameter in the snapshot has the value in force.
func (d *decoder) same(what string, got, want float64) {
	if d.err == nil && got != want {
		d.err = fmt.Errorf("drift: %w: %s is %v there, %v here", ErrSnapshotParameters, what, got, want)
	}
}

// end fails if anything is left over, and returns the first failure.
func (d *decoder) end() error {
	if d.err == nil && len(d.buf) != 0 {
		d.fail("has trailing bytes")
	}
	return d.err
}
