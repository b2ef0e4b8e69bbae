package kernel

import "golang.org/x/sys/cpu"

// lookupAMD64 is the best loop for a set that has AVX2 at least.
func lookupAMD64(table *[256]byte, out, in *byte, n int) {
	if cpu.X86.HasAVX512VBMI && cpu.X86.HasAVX512BW {
		lookupVBMI(&table[0], out, in, n)
		return
	}
	lookupAVX2(&table[0], out, in, n)
}

//go:noescape
func extremeAVX2(out, x, y *byte, length, count, outPitch, xPitch, yPitch, order int)

//go:noescape
func lookupAVX2(table, out, in *byte, n int)

//go:noescape
func lookupVBMI(table, out, in *byte, n int)

//go:noescape
func quantizeAVX2(q *Quantizer, out *byte, in *float32, n int)

//go:noescape
func bilinearAVX2(out, top, bottom *int8, columns *Column, count, depth, whole, weight int)
