package main

// rvvAdd computes sums: on the side that is not plain a rounding product and a
// rounding shift, on the other one product, and the output's requantization as in
// rvvStore, with the same shift in every lane.
func rvvAdd(s *source) {
	s.labels = 0
	s.line("\n// func addRVV(l *linearAdd, v, w, out *int8, n int)")
	s.line("TEXT ·addRVV(SB), NOSPLIT, $0-40")
	s.op("MOV l+0(FP), X5")
	s.op("MOV v+8(FP), X6")
	s.op("MOV w+16(FP), X7")
	s.op("MOV out+24(FP), X8")
	s.op("MOV n+32(FP), X9")
	s.op("CSRRWI $0, VXRM, X0")
	for _, f := range []struct{ name, register string }{
		{"zero", "X10"}, {"high", "X11"}, {"low", "X12"}, {"e", "X13"}, {"signs", "X14"}, {"wZero", "X15"}, {"wSign", "X16"},
		{"m", "X17"}, {"outE", "X18"}, {"outSigns", "X19"}, {"unit", "X20"}, {"min", "X21"}, {"max", "X22"},
	} {
		s.op("MOVW linearAdd_%s(X5), %s", f.name, f.register)
	}
	s.op("SLL $16, X11")
	s.op("ADD X12, X11")
	s.op("SLL $6, X16") // to 2^19
	// The upper half of a product with one is −1 for negative numbers, with zero
	// it is 0.
	s.op("NEG X14")
	s.op("NEG X19")
	loop := s.label("loop")
	s.at(loop)
	s.op("VSETVLI X9, E32, M8, TA, MU, X23")
	s.op("VLE8V (X6), V0")
	s.op("VLE8V (X7), V4")
	s.op("VSEXTVF4 V0, V8")
	s.op("VSUBVX X10, V8, V8")
	s.op("VSLLVI $20, V8, V8")
	s.op("VSMULVX X11, V8, V8")
	s.op("VSEXTVF4 V4, V16")
	s.op("VMULHVX X14, V8, V24")
	s.op("VSUBVX X15, V16, V16")
	s.op("VADDVV V24, V8, V8")
	s.op("VSSRAVX X13, V8, V8")
	s.op("VMACCVX V16, X16, V8")
	s.op("VSMULVX X17, V8, V8")
	s.op("ADD X23, X6")
	s.op("VMULHVX X19, V8, V24")
	s.op("ADD X23, X7")
	s.op("VADDVV V24, V8, V8")
	rvvVector(s, "X23", 16, 8, 2)
	s.op("VNCLIPWX X18, V8, V8")
	s.op("SUB X23, X9")
	s.op("VSADDVX X20, V8, V8")
	rvvVector(s, "X23", 8, 8, 4)
	s.op("VNCLIPWI $0, V8, V8")
	s.op("VMAXVX X21, V8, V8")
	s.op("VMINVX X22, V8, V8")
	s.op("VSE8V V8, (X8)")
	s.op("ADD X23, X8")
	s.op("BNEZ X9, %s", loop)
	s.op("RET")
}

// rvvLines copies rows with padding on both sides.
func rvvLines(s *source) {
	s.labels = 0
	s.line("\n// func linesRVV(c *lines)")
	s.line("TEXT ·linesRVV(SB), NOSPLIT, $0-8")
	s.op("MOV c+0(FP), X5")
	s.op("MOV lines_dst(X5), X6")
	s.op("MOV lines_src(X5), X7")
	s.op("MOV lines_n(X5), X8")
	s.op("MOV lines_dstPitch(X5), X9")
	s.op("MOV lines_srcPitch(X5), X10")
	s.op("MOV lines_left(X5), X11")
	s.op("MOV lines_size(X5), X12")
	s.op("MOV lines_right(X5), X13")
	s.op("MOVB lines_pad(X5), X14")
	s.op("VSETVLI X0, E8, M8, TA, MA, X15")
	s.op("VMVVX X14, V8")
	row := s.label("row")
	s.at(row)
	s.op("MOV X6, X14")
	rvvPad(s, "X11")
	s.op("MOV X7, X15")
	s.op("MOV X12, X16")
	loop, done := s.label("loop"), s.label("done")
	s.op("BEQZ X16, %s", done)
	s.at(loop)
	s.op("VSETVLI X16, E8, M8, TA, MA, X17")
	s.op("VLE8V (X15), V16")
	s.op("SUB X17, X16")
	s.op("ADD X17, X15")
	s.op("VSE8V V16, (X14)")
	s.op("ADD X17, X14")
	s.op("BNEZ X16, %s", loop)
	s.at(done)
	rvvPad(s, "X13")
	s.op("ADD X9, X6")
	s.op("ADD X10, X7")
	s.op("ADD $-1, X8")
	s.op("BNEZ X8, %s", row)
	s.op("RET")
}

// rvvPad writes n bytes from V8 to (X14) and advances that.
func rvvPad(s *source, n string) {
	loop, done := s.label("pad"), s.label("padded")
	s.op("MOV %s, X16", n)
	s.op("BEQZ X16, %s", done)
	s.at(loop)
	s.op("VSETVLI X16, E8, M8, TA, MA, X17")
	s.op("VSE8V V8, (X14)")
	s.op("SUB X17, X16")
	s.op("ADD X17, X14")
	s.op("BNEZ X16, %s", loop)
	s.at(done)
}
