package kernel

import "golang.org/x/sys/cpu"

// lookupVNNI looks up in tables of 128 bytes where the processor can; the first
// ones with VNNI cannot.
func lookupVNNI(table *[256]byte, out, in *byte, n int) {
	if cpu.X86.HasAVX512VBMI {
		lookupVBMI(table, out, in, n)
		return
	}
	lookupAVX2(table, out, in, n)
}

//go:noescape
func extremeAVX2(out, x, y *byte, length, count, outPitch, xPitch, yPitch, order int)

//go:noescape
func lookupAVX2(table *[256]byte, out, in *byte, n int)

//go:noescape
func lookupVBMI(table *[256]byte, out, in *byte, n int)

//go:noescape
func quantizeAVX2(q *Quantizer, out *byte, in *float32, n int)

//go:noescape
func bilinearAVX2(out, top, bottom *int8, columns *Column, count, depth, whole, weight int)
