package main

import "fmt"

// rvvDepthwise takes as many channels as the panel has, of rows pixels at a time:
// bytes of both sides are widened to 16 bits, and multiplied and added to sums of
// 32.
//
// Registers beside the common ones: X12 a tap's reach; X13 to X15 where its
// channels lie.
func rvvDepthwise(s *source, rows int) {
	const group = 8
	first := 32 - rows*group
	s.function(fmt.Sprintf("depthwiseRVV%d", rows), fmt.Sprintf("%d pixels at a time.", rows), 0)
	rvvBegin(s)
	tile, tap := s.label("tile"), s.label("tap")
	s.at(tile)
	rvvStart(s, rows, group, first)
	s.at(tap)
	s.op("MOVW (%s), X12", rvvReach)
	s.op("ADD $4, %s", rvvReach)
	s.op("VLE8V (%s), V2", rvvWeights)
	s.op("VSEXTVF2 V2, V0")
	s.op("ADD %s, %s", rvvWidth, rvvWeights)
	s.op("ADD $-1, %s", rvvRuns)
	for r := range rows {
		s.op("ADD X12, %s, X%d", rvvRow(r), 13+r)
	}
	for r := range rows {
		s.op("VLE8V (X%d), V6", 13+r)
		s.op("VSEXTVF2 V6, V4")
		s.op("VWMACCVV V4, V0, V%d", first+r*group)
	}
	s.op("BNEZ %s, %s", rvvRuns, tap)
	rvvStore(s, rows, group, first)
	s.op("ADD $-%d, %s", rows, rvvLeft)
	s.op("BNEZ %s, %s", rvvLeft, tile)
	s.op("RET")
}
