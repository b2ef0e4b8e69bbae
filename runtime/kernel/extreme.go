package kernel

import (
	goruntime "runtime"
	"unsafe"
)

// Order says which of two bytes is wanted: the one that is the larger unsigned
// number once both are combined with it by exclusive or.
type Order byte

// The orders of bytes that stand for int8 and for uint8.
const (
	LargestInt8   Order = 0x80
	SmallestInt8  Order = 0x7F
	LargestUint8  Order = 0
	SmallestUint8 Order = 0xFF
)

// Rows are equally long rows of bytes in three tensors, and how far one row of each
// lies behind the one before. A distance of 0 repeats a row of X or Y.
type Rows struct{ Length, Count, Out, X, Y int }

// Extreme sets every byte of rows of out to the one of x and y that is wanted. out may
// be x or y: rows are written in order, after they are read.
func (s *Set) Extreme(o Order, r Rows, out, x, y []byte) {
	if r.Length == 0 || r.Count == 0 {
		return
	}
	if r.Out == r.Length && r.X == r.Length && r.Y == r.Length {
		r.Length, r.Count = r.Length*r.Count, 1
	}
	last, whole := r.Count-1, 0
	out, x, y = out[:last*r.Out+r.Length], x[:last*r.X+r.Length], y[:last*r.Y+r.Length]
	if s.engine != nil && s.engine.extreme != nil && r.Length >= 16 {
		whole = r.Length &^ 15
		s.engine.extreme(&out[0], &x[0], &y[0], whole, r.Count, r.Out, r.X, r.Y, int(o))
	}
	if whole == r.Length {
		return
	}
	for i := range r.Count {
		extremeGeneric(o, out[i*r.Out+whole:i*r.Out+r.Length], x[i*r.X+whole:i*r.X+r.Length], y[i*r.Y+whole:i*r.Y+r.Length])
	}
}

// extremeGeneric does a word of bytes at a time, where that may be read at once.
func extremeGeneric(o Order, out, x, y []byte) {
	n := 0
	if p := address(out) | address(x) | address(y); p%wordBytes == 0 || unaligned {
		n = len(out) / wordBytes
		extremeWords(uint(o)*eachByte, words(out, n), words(x, n), words(y, n))
		n *= wordBytes
	}
	out, x, y = out[n:], x[n:], y[n:]
	for i, v := range x {
		// Bytes are compared as wider numbers, for which compilers do without a
		// branch that would be mispredicted.
		out[i] = byte(max(uint32(v^byte(o)), uint32(y[i]^byte(o)))) ^ byte(o)
	}
}

// unaligned is set where words are read as fast from any address.
const unaligned = goruntime.GOARCH == "amd64" || goruntime.GOARCH == "arm64"

const (
	wordBytes = int(unsafe.Sizeof(uint(0)))
	eachByte  = ^uint(0) / 0xFF // 1 in every byte
	highBits  = eachByte * 0x80 // the highest bit of every byte
)

func address(b []byte) int { return int(uintptr(unsafe.Pointer(unsafe.SliceData(b))) % 64) }

// words is the first n words of b.
func words(b []byte, n int) []uint {
	return unsafe.Slice((*uint)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// extremeWords compares all bytes of a word by one subtraction, in which the
// highest bits, set in the one and cleared in the other, keep the bytes apart.
func extremeWords(order uint, out, x, y []uint) {
	x, y = x[:len(out)], y[:len(out)]
	for i := range out {
		a, b := x[i]^order, y[i]^order
		low := (a | highBits) - b&^highBits // its highest bits: a's low 7 bits are not less
		wins := (a&^b | ^(a^b)&low) & highBits
		mask := wins | (wins - wins>>7) // 0xFF where a is not less
		out[i] = b ^ (a^b)&mask ^ order
	}
}
