package main

import "fmt"

// rvvTiles are the tiles by the number of registers in a group of sums. They fill
// the register file, but for what holds two steps' weights and the epilogue.
var rvvTiles = []struct {
	group int
	rows  []int
}{{8, []int{3, 2, 1}}, {4, []int{7, 3, 1}}, {2, []int{8, 3, 1}}}

// rvvUnrolled is the number of steps in the main loop.
const rvvUnrolled = 8

// rvvTile multiplies a byte of each row, from a scalar register, with a vector of
// weights widened to 16 bits, which are loaded one step ahead.
//
// Registers beside the common ones: X11 steps left of the run; X12 how far the
// rows' addresses are from the beginning; X13 to X16 bytes of rows.
func rvvTile(s *source, group, rows int) {
	t := &rvvGEMM{s, group, rows, 32 - rows*group}
	if group == 2 {
		t.first = 8
	}
	s.function(fmt.Sprintf("gemmRVV%dx%d", rows, group), fmt.Sprintf("%d rows at a time times a panel as wide as %d registers.", rows, group), 0)
	rvvBegin(s)
	tile, run, steps, few := s.label("tile"), s.label("run"), s.label("steps"), s.label("few")
	s.at(tile)
	rvvStart(s, rows, group, t.first)
	s.op("MOV $0, X12")
	s.at(run)
	s.op("MOVW (%s), X13", rvvReach)
	s.op("ADD $4, %s", rvvReach)
	s.op("MOV block_length(%s), X11", rvvBlock)
	s.op("SUB X12, X13, X12")
	t.advance("X12")
	s.op("AND $-2, X11, X12")
	s.op("ADD X13, X12")
	s.op("ADD $-%d, X11", rvvUnrolled)
	s.op("BLTZ X11, %s", few)
	s.at(steps)
	t.steps(rvvUnrolled)
	t.advance(fmt.Sprintf("$%d", rvvUnrolled))
	s.op("ADD $-%d, X11", rvvUnrolled)
	s.op("BGEZ X11, %s", steps)
	s.at(few)
	for n := rvvUnrolled / 2; n > 0; n /= 2 {
		skip := s.label("skip")
		s.op("AND $%d, X11, X13", n)
		s.op("BEQZ X13, %s", skip)
		t.steps(n)
		if n > 1 {
			t.advance(fmt.Sprintf("$%d", n))
		}
		s.at(skip)
	}
	s.op("ADD $-1, %s", rvvRuns)
	s.op("BNEZ %s, %s", rvvRuns, run)
	rvvStore(s, rows, group, t.first)
	s.op("ADD $-%d, %s", rows, rvvLeft)
	s.op("BNEZ %s, %s", rvvLeft, tile)
	s.op("RET")
}

// rvvGEMM writes the inner loops of a tile whose sums begin at register first.
type rvvGEMM struct {
	*source
	group, rows, first int
}

func (t *rvvGEMM) advance(by string) {
	for r := range t.rows {
		t.op("ADD %s, %s", by, rvvRow(r))
	}
}

// weights loads those of a step.
func (t *rvvGEMM) weights(step int) {
	wide := t.wide(step)
	// The bytes may lie in the upper half of the group that they are widened to,
	// unless they are less than a register.
	narrow := wide + t.group/4
	if t.group == 2 {
		narrow = wide + 2
	}
	t.op("VLE8V (%s), V%d", rvvWeights, narrow)
	t.op("ADD %s, %s", rvvWidth, rvvWeights)
	t.op("VSEXTVF2 V%d, V%d", narrow, wide)
}

// wide is the register group with the weights of a step.
func (t *rvvGEMM) wide(step int) int { return step % 2 * t.group / 2 }

// steps multiplies n bytes of every row. Scalar loads run ahead of the products.
func (t *rvvGEMM) steps(n int) {
	const ahead, scalars = 3, 4
	load := func(i int) {
		if i < n*t.rows {
			t.op("MOVB %d(%s), X%d", i/t.rows, rvvRow(i%t.rows), 13+i%scalars)
		}
	}
	t.weights(0)
	for i := range ahead {
		load(i)
	}
	for i := range n * t.rows {
		step, row := i/t.rows, i%t.rows
		if row == 0 && step+1 < n {
			t.weights(step + 1)
		}
		load(i + ahead)
		t.op("VWMACCVX V%d, X%d, V%d", t.wide(step), 13+i%scalars, t.first+row*t.group)
	}
}

// rvvPeakSteps is how many products of three vectors a round of the peak loop has.
const rvvPeakSteps = 8

// rvvPeak multiplies and accumulates as rvvTile does, on registers alone.
func rvvPeak(s *source) {
	s.labels = 0
	s.line("\n// func peakRVV(n int)")
	s.line("TEXT ·peakRVV(SB), NOSPLIT, $0-8")
	s.op("MOV n+0(FP), X5")
	s.op("VSETVLI X0, E16, M4, TA, MU, X6")
	loop := s.label("loop")
	s.at(loop)
	for i := range 3 * rvvPeakSteps {
		s.op("VWMACCVX V0, X6, V%d", 8+i%3*8)
	}
	s.op("ADD $-1, X5")
	s.op("BNEZ X5, %s", loop)
	s.op("RET")
}
