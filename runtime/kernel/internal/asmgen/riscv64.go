package main

import "fmt"

// The riscv64 set for RVV 1.0. Vectors are as long as the processor has them: a
// kernel asks for as many elements as the panel has columns in use, and touches
// no byte beyond them. Registers of 32-bit sums come in groups of the size that a
// kernel is named by, those of 16 bits and of 8 in groups of a half and a
// quarter.
//
// Registers that kernels on a block share:
const (
	rvvBlock   = "X5"
	rvvWeights = "X6"
	rvvWidth   = "X7" // of the panel
	rvvColumns = "X8" // in use
	rvvReach   = "X9" // the next run's
	rvvRuns    = "X10"
	rvvFirst   = 17 // addresses of a tile's rows
	rvvOut     = "X25"
	rvvOffsets = "X26"
	rvvLeft    = "X28" // rows
	rvvStride  = "X29"
	rvvClamp   = "X30" // 0 where the output's bounds are those of its type
)

func rvv(s *source) {
	for _, t := range rvvTiles {
		for _, rows := range t.rows {
			rvvTile(s, t.group, rows)
		}
	}
	rvvDepthwise(s, 3)
	rvvDepthwise(s, 1)
	rvvAdd(s)
	rvvLines(s)
	rvvPeak(s)
}

// rvvVector chooses elements of bits in groups of group registers, or of a part
// of one; masked elements keep their value.
func rvvVector(s *source, length string, bits, group, part int) {
	name := fmt.Sprintf("M%d", group/part)
	if group < part {
		name = fmt.Sprintf("MF%d", part/group)
	}
	s.op("VSETVLI %s, E%d, %s, TA, MU, X0", length, bits, name)
}

// rvvBegin loads what does not change from tile to tile.
func rvvBegin(s *source) {
	s.op("MOV b+0(FP), %s", rvvBlock)
	// Products are rounded as (p + 2^30)>>31.
	s.op("CSRRWI $0, VXRM, X0")
	s.op("MOV block_width(%s), %s", rvvBlock, rvvWidth)
	s.op("MOV block_columns(%s), %s", rvvBlock, rvvColumns)
	s.op("MOV block_rows(%s), %s", rvvBlock, rvvLeft)
	s.op("MOV block_offsets(%s), %s", rvvBlock, rvvOffsets)
	s.op("MOV block_out(%s), %s", rvvBlock, rvvOut)
	s.op("MOV block_stride(%s), %s", rvvBlock, rvvStride)
	s.op("MOVW block_min(%s), X11", rvvBlock)
	s.op("MOVW block_max(%s), X12", rvvBlock)
	s.op("SUB X11, X12, %s", rvvClamp)
	s.op("ADD $-255, %s", rvvClamp)
}

// rvvRow is the register with the address of a row.
func rvvRow(r int) string { return fmt.Sprintf("X%d", rvvFirst+r) }

// rvvStart begins a tile: the sums of rows rows in groups of group registers from
// first on are the biases, and the rows' addresses are loaded.
func rvvStart(s *source, rows, group, first int) {
	rvvVector(s, rvvColumns, 32, group, 1)
	s.op("MOV block_params(%s), X11", rvvBlock)
	s.op("VLE32V (X11), V%d", first)
	s.op("MOV block_a(%s), X12", rvvBlock)
	for r := range rows {
		s.op("MOVW %d(%s), %s", 4*r, rvvOffsets, rvvRow(r))
		if r > 0 {
			s.op("VMVVV V%d, V%d", first, first+r*group)
		}
	}
	for r := range rows {
		s.op("ADD X12, %s", rvvRow(r))
	}
	s.op("ADD $%d, %s", 4*rows, rvvOffsets)
	s.op("MOV block_b(%s), %s", rvvBlock, rvvWeights)
	s.op("MOV block_reach(%s), %s", rvvBlock, rvvReach)
	s.op("MOV block_runs(%s), %s", rvvBlock, rvvRuns)
	rvvVector(s, rvvColumns, 16, group, 2)
}

// rvvStore requantizes the sums and stores them row by row. The group V0 and,
// where it is smaller than that, V1 to V3 are free for it.
//
// With the sum times the multiplier rounded half up, y, the result is
// (y + half − [y<0]) >> e where e > 0, and y where e is 0: the narrowing shift
// adds half, and a one is subtracted before from the lanes that are negative and
// have e > 0. It saturates to 16 bits and so does adding the zero point, which
// changes nothing for results within 8 bits; so does the narrowing to these.
func rvvStore(s *source, rows, group, first int) {
	sum := func(r int) string { return fmt.Sprintf("V%d", first+r*group) }
	shifts := fmt.Sprintf("V%d", max(group/2, 2))
	rvvVector(s, rvvColumns, 32, group, 1)
	s.op("MOV block_params(%s), X11", rvvBlock)
	s.op("SLL $2, %s, X12", rvvWidth)
	s.op("ADD X12, X11")
	s.op("VLE32V (X11), V0")
	s.op("ADD X12, X11")
	for r := range rows {
		s.op("VSMULVV V0, %s, %s", sum(r), sum(r))
	}
	rvvVector(s, rvvColumns, 16, group, 2)
	s.op("VLE16V (X11), %s", shifts)
	s.op("MOVW block_zero(%s), X13", rvvBlock)
	s.op("VMSGTVI $0, %s, V1", shifts)
	rvvVector(s, rvvColumns, 32, group, 1)
	for r := range rows {
		s.op("VMV1RV V1, V0")
		s.op("VMSLTVX X0, %s, V0, V0", sum(r))
		s.op("VADDVI $-1, %s, V0, %s", sum(r), sum(r))
	}
	rvvVector(s, rvvColumns, 16, group, 2)
	for r := range rows {
		s.op("VNCLIPWV %s, %s, %s", shifts, sum(r), sum(r))
	}
	for r := range rows {
		s.op("VSADDVX X13, %s, %s", sum(r), sum(r))
	}
	rvvVector(s, rvvColumns, 8, group, 4)
	for r := range rows {
		s.op("VNCLIPWI $0, %s, %s", sum(r), sum(r))
	}
	clamped := s.label("clamped")
	s.op("BEQZ %s, %s", rvvClamp, clamped)
	s.op("MOVW block_min(%s), X14", rvvBlock)
	s.op("MOVW block_max(%s), X15", rvvBlock)
	for r := range rows {
		s.op("VMAXVX X14, %s, %s", sum(r), sum(r))
		s.op("VMINVX X15, %s, %s", sum(r), sum(r))
	}
	s.at(clamped)
	for r := range rows {
		s.op("VSE8V %s, (%s)", sum(r), rvvOut)
		s.op("ADD %s, %s", rvvStride, rvvOut)
	}
}
