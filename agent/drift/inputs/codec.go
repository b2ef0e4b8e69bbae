package inputs

import (
	"encoding/binary"
	"fmt"
	"math"
)

// decoder reads bounds-checked values. The first failure sticks; what is read after
// it is zero.
type decoder struct {
	buf     []byte
	damaged error // what a failure is called
	err     error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("inputs: %w: %s", d.damaged, what)
	}
}

func (d *decoder) take(n int) []byte {
	if d.err != nil {
		return nil
	}
	if n > len(d.buf) {
		d.fail("ends early")
		return nil
	}
	taken := d.buf[:n]
	d.buf = d.buf[n:]
	return taken
}

func (d *decoder) u8() uint8 {
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

// f64 reads a float that must be finite.
func (d *decoder) f64(what string) float64 {
	v := math.Float64frombits(d.u64())
	if !finite(v) {
		d.fail(what + " is not finite")
		return 0
	}
	return v
}

// uvarint reads a number of at most limit, in its shortest form.
func (d *decoder) uvarint(limit uint64, what string) uint64 {
	if d.err != nil {
		return 0
	}
	v, n := binary.Uvarint(d.buf)
	switch {
	case n == 0:
		d.fail("ends early")
	case n < 0 || v > limit || n > 1 && d.buf[n-1] == 0:
		d.fail(what + " is out of range")
	default:
		d.buf = d.buf[n:]
		return v
	}
	return 0
}

// end fails if anything is left over, and returns the first failure.
func (d *decoder) end() error {
	if d.err == nil && len(d.buf) != 0 {
		d.fail("has trailing bytes")
	}
	return d.err
}

// finite reports whether x is neither NaN nor an infinity.
func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
