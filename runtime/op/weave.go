package op

import "unsafe"

// weave3 is the interleaving of three planes, as of an image with channels first,
// four elements of each at a time. It leaves what does not fill a word, and
// everything where memory is not aligned for words, to its caller; the result is
// how many elements of each plane it did.
func weave3(out, a, b, c []byte) int {
	if !aligned4(out) || !aligned4(a) || !aligned4(b) || !aligned4(c) {
		return 0
	}
	words := view[uint32](a)
	n := len(words)
	to, bs, cs := view[uint32](out)[:3*n], view[uint32](b)[:n], view[uint32](c)[:n]
	for i, a := range words {
		b, c := bs[i], cs[i]
		w := to[3*i : 3*i+3]
		w[0] = a&0xFF | b&0xFF<<8 | c&0xFF<<16 | a&0xFF00<<16
		w[1] = b>>8&0xFF | c&0xFF00 | a&0xFF0000 | b&0xFF0000<<8
		w[2] = c>>16&0xFF | a>>16&0xFF00 | b>>8&0xFF0000 | c&0xFF000000
	}
	return 4 * n
}

// aligned4 reports whether b begins at an address that is a multiple of 4.
func aligned4(b []byte) bool { return uintptr(unsafe.Pointer(unsafe.SliceData(b)))&3 == 0 }
