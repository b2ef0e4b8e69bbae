package kernel

//go:noescape
func extremeNEON(out, x, y *byte, length, count, outPitch, xPitch, yPitch, order int)

//go:noescape
func lookupNEON(table *[256]byte, out, in *byte, n int)

//go:noescape
func quantizeNEON(q *Quantizer, out *byte, in *float32, n int)
