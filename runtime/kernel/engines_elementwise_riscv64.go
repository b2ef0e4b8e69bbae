package kernel

//go:noescape
func extremeRVV(out, x, y *byte, length, count, outPitch, xPitch, yPitch, order int)

//go:noescape
func lookupRVV(table *[256]byte, out, in *byte, n int)
