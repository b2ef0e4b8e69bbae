package main

import "fmt"

// vnniConstants sets what vnniStore needs for n blocks of 16 columns, from the
// mask of the columns in use in AX and the parameters' address.
func vnniConstants(s *source, n int, params string) {
	s.op("KMOVQ AX, K1")
	s.op("MOVL $0x5555, AX")
	s.op("KMOVW AX, K7")
	s.op("MOVQ %s, CX", params)
	for i := range n {
		s.op("VMOVDQU64 %d(CX), Z25", 384*i+320)
		s.op("VPTESTMD Z25, Z25, K%d", 2+i)
	}
	s.op("VMOVDQU64 dwordsVNNI<>(SB), Z29")
	s.op("VPBROADCASTB block_min(DI), Z30")
	s.op("VPBROADCASTB block_max(DI), Z31")
}

// vnniScale turns 16 sums into results that have their zero point but not their
// bounds yet. With p = 2·sum·m the result is
//
//	((p + 2^31)>>32 + half + zero·2^e − [sum<0]) >> e
//
// the two roundings of the definition as nested floors. What is in the register
// is sum + 2^30, which is positive; params holds
//
//	2^31 + (half + zero·2^e − 1)·2^32 − 2^30·2m
//
// as one 64-bit constant, and bit 30, which is set for sums that are not negative,
// takes the 1 back. It counts only in columns with e > 0, which sign names. Even
// and odd columns are multiplied apart.
//
// params: bias, 2m, 2m of the odd columns, the constants of the even columns and
// of the odd ones, e. K7 names the even columns.
func vnniScale(s *source, params int, sum, sign string) {
	vnniScaleBy(s, func(i int) string { return fmt.Sprintf("%d(CX)", params+64*i) }, sum, sign)
}

// vnniScaleBy is vnniScale with params at, which may be registers.
func vnniScaleBy(s *source, at func(i int) string, sum, sign string) {
	s.op("VPSRLQ $32, %s, Z25", sum)
	s.op("VPSRLD.Z $30, %s, %s, Z26", sum, sign)
	s.op("VPMULUDQ %s, %s, %s", at(1), sum, sum)
	s.op("VPMULUDQ %s, Z25, Z25", at(2))
	s.op("VPADDQ %s, %s, %s", at(3), sum, sum)
	s.op("VPADDQ %s, Z25, Z25", at(4))
	s.op("VMOVSHDUP %s, K7, Z25", sum)
	s.op("VPADDD Z26, Z25, Z25")
	s.op("VPSRAVD %s, Z25, %s", at(5), sum)
}

// vnniLinear is vnniScale in the form of linearParams, for sums of the same 16
// columns: with X the sum as a float32 and u = X·low + offset, the result is the
// floor of X·high + u. That sum is rounded down, so its floor is the exact one's.
//
// params: bias, high, low, offset.
func vnniLinear(s *source, params int, sums []string) {
	for i := range 3 {
		s.op("VMOVUPS %d(CX), Z%d", params+64*(1+i), 16+i)
	}
	for i, sum := range sums {
		vnniLine(s, 16, sum, fmt.Sprintf("Z%d", 19+i%4))
	}
}

// vnniLine scales one vector with the params from register Z(first) on.
func vnniLine(s *source, first int, sum, u string) {
	s.op("VCVTDQ2PS %s, %s", sum, sum)
	s.op("VMOVAPS Z%d, %s", first+2, u)
	s.op("VFMADD231PS Z%d, %s, %s", first+1, sum, u)
	s.op("VFMADD213PS.RD_SAE %s, Z%d, %s", u, first, sum)
	s.op("VCVTPS2DQ.RD_SAE %s, %s", sum, sum)
}

// vnniScaleAll turns a tile's sums, rows of n vectors, into results without bounds.
// CX points to the parameters, whose form the argument names.
func vnniScaleAll(s *source, rows, n int, sum func(r, i int) string) {
	linear, scaled := s.label("linear"), s.label("scaled")
	s.op("CMPQ block_linear(DI), $0")
	s.op("JNE %s", linear)
	for r := range rows {
		for i := range n {
			vnniScale(s, 384*i, sum(r, i), fmt.Sprintf("K%d", 2+i))
		}
	}
	s.op("JMP %s", scaled)
	s.at(linear)
	for i := range n {
		var sums []string
		for r := range rows {
			sums = append(sums, sum(r, i))
		}
		vnniLinear(s, 384*i, sums)
	}
	s.at(scaled)
}

// vnniPack packs four vectors of 16 results into bytes, one after the other, in
// the first, and bounds them. Z29 holds the order that permute brings their parts
// into, Z30 and Z31 the bounds.
func vnniPack(s *source, r []string, permute string) {
	s.op("VPACKSSDW %s, %s, %s", r[1], r[0], r[0])
	if r[2] != r[0] {
		s.op("VPACKSSDW %s, %s, %s", r[3], r[2], r[2])
	}
	s.op("VPACKSSWB %s, %s, %s", r[2], r[0], r[0])
	s.op("%s %s, Z29, %s", permute, r[0], r[0])
	s.op("VPMAXSB Z30, %s, %s", r[0], r[0])
	s.op("VPMINSB Z31, %s, %s", r[0], r[0])
}

// vnniStore scales a tile's sums and stores them. SI points to the first row's
// results, DX is the distance to the next, K1 names the columns in use.
func vnniStore(s *source, rows, n int, sum func(r, i int) string) {
	var all []string
	vnniScaleAll(s, rows, n, sum)
	for r := range rows {
		for i := range n {
			all = append(all, sum(r, i))
		}
	}
	for len(all)%4 != 0 { // what is packed beside the last is not stored
		all = append(all, all[len(all)-1])
	}
	for r, g := 0, 0; g < len(all); g += 4 {
		group := all[g : g+4]
		vnniPack(s, group, "VPERMD")
		x := group[0][1:]
		for part := 0; part < 4 && r < rows; part += n {
			switch {
			case n == 4:
				s.op("VMOVDQU8 Z%s, K1, (SI)", x)
			case n == 2 && part == 0:
				s.op("VMOVDQU8 Y%s, K1, (SI)", x)
			case n == 2:
				s.op("VEXTRACTI64X4 $1, Z%s, Y%s", x, x)
				s.op("VMOVDQU8 Y%s, K1, (SI)", x)
			case part == 0:
				s.op("VMOVDQU8 X%s, K1, (SI)", x)
			default:
				s.op("VEXTRACTI32X4 $%d, Z%s, X25", part, x)
				s.op("VMOVDQU8 X25, K1, (SI)")
			}
			s.op("ADDQ DX, SI")
			r++
		}
	}
}
