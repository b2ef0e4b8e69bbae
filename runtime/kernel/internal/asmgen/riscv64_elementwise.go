package main

// elementwiseRISCV64 writes the loops of operators without weights.
func elementwiseRISCV64(s *source) {
	rvvExtreme(s)
	rvvLookup(s)
}

// rvvExtreme combines both sides with the order, takes the larger unsigned bytes,
// and undoes it.
func rvvExtreme(s *source) {
	s.begin("extremeRVV(out, x, y *byte, length, count, outPitch, xPitch, yPitch, order int)", "Rows of any length.", 9)
	for i, name := range []string{"out", "x", "y", "length", "count", "outPitch", "xPitch", "yPitch", "order"} {
		s.op("MOV %s+%d(FP), X%d", name, 8*i, 5+i)
	}
	row, loop := s.label("row"), s.label("loop")
	s.at(row)
	s.op("MOV X5, X14")
	s.op("MOV X6, X15")
	s.op("MOV X7, X16")
	s.op("MOV X8, X17")
	s.at(loop)
	s.op("VSETVLI X17, E8, M8, TA, MA, X18")
	s.op("VLE8V (X15), V0")
	s.op("VLE8V (X16), V8")
	s.op("SUB X18, X17")
	s.op("ADD X18, X15")
	s.op("ADD X18, X16")
	s.op("VXORVX X13, V0, V0")
	s.op("VXORVX X13, V8, V8")
	s.op("VMAXUVV V8, V0, V0")
	s.op("VXORVX X13, V0, V0")
	s.op("VSE8V V0, (X14)")
	s.op("ADD X18, X14")
	s.op("BNEZ X17, %s", loop)
	s.op("ADD X10, X5")
	s.op("ADD X11, X6")
	s.op("ADD X12, X7")
	s.op("ADD $-1, X9")
	s.op("BNEZ X9, %s", row)
	s.op("RET")
}

// rvvLookup loads from the table at the places that bytes say.
func rvvLookup(s *source) {
	s.begin("lookupRVV(table *[256]byte, out, in *byte, n int)", "Any number of bytes.", 4)
	for i, name := range []string{"table", "out", "in", "n"} {
		s.op("MOV %s+%d(FP), X%d", name, 8*i, 5+i)
	}
	loop := s.label("loop")
	s.at(loop)
	s.op("VSETVLI X8, E8, M8, TA, MA, X9")
	s.op("VLE8V (X7), V0")
	s.op("ADD X9, X7")
	s.op("SUB X9, X8")
	s.op("VLUXEI8V (X5), V0, V8")
	s.op("VSE8V V8, (X6)")
	s.op("ADD X9, X6")
	s.op("BNEZ X8, %s", loop)
	s.op("RET")
}
