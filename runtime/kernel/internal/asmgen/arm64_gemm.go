package main

import "fmt"

// arm64Tiles are the tiles of the arm64 sets by panel width.
var arm64Tiles = []struct{ columns, rows int }{{32, 1}, {16, 4}, {16, 2}, {16, 1}, {8, 4}, {8, 2}, {8, 1}}

// dotprod writes the set for processors with a dot product.
func dotprod(s *source) {
	for _, size := range arm64Tiles {
		t := &arm64Tile{arm64: &arm64{source: s}, rows: size.rows, columns: size.columns, n: size.columns / 4, sum: 16, step: dotStep, limit: 12}
		t.weights = rotate(4, 8)
		t.write("gemmDot")
	}
	d := &arm64Slide{&arm64{source: s}, arm64Nine}
	d.write("depthwiseDot3x3")
	arm64Peak(&arm64{source: s}, "peakDot", dotPeak)
}

// neon writes the set for all others.
func neon(s *source) {
	s.line("")
	for i := range 8 {
		// Four bytes from 4·(i/4) on as they are repeated in a vector.
		at := i/4*4 + i%4/2*2
		s.line("DATA repeatNEON<>+%d(SB)/4, $0x%02x%02x%02x%02x", 4*i, at+1, at, at+1, at)
	}
	s.line("GLOBL repeatNEON<>(SB), RODATA|NOPTR, $32")
	for _, size := range arm64Tiles {
		t := &arm64Tile{arm64: &arm64{source: s}, rows: size.rows, columns: size.columns, n: size.columns / 4, sum: 16, step: mullStep}
		t.weights, t.bytes, t.products = rotate(6, 4), rotate(10, 2), rotate(12, 4)
		if t.rows < 4 { // sums leave the last ones free
			t.weights = rotate(24, 8)
		}
		t.write("gemmNEON")
	}
	for pixels := 2; pixels > 0; pixels-- {
		d := &arm64Depthwise{arm64: &arm64{source: s}, pixels: pixels, x: rotate(25, 3), products: rotate(17, 8)}
		d.nine("depthwiseNEON9x")
		d.any("depthwiseNEON")
	}
	arm64Add(&arm64{source: s})
	arm64Lines(&arm64{source: s})
	arm64Peak(&arm64{source: s}, "peakNEON", mullPeak)
}

// arm64Tile writes a micro-kernel for matrix products. It has the bytes of up to
// four rows at hand, and loads the weights of its columns for four bytes of each
// at a time.
//
// X0 is the argument; X1 rows left; X2 next offsets; X3 where results go, X4 from
// one row to the next; X5 the weights; X6 the next run's reach; X7 runs left; X8
// the offset in the rows, X9 bytes left in the run; X10-X13 the rows, or with a
// single one X11 where its panel's results go; X14 the output's zero; X15, X17 and
// X21 as limits says; X19 the epilogue; X20 columns; X22 length; X23 what offsets
// count from; X24-X26 where weights, reaches and runs begin. X16 is for anything.
type arm64Tile struct {
	*arm64
	rows, columns int
	n             int // vectors in a row of sums
	sum           int // the first of the sums'
	weights       rotation
	step          func(t *arm64Tile, size int)
	limit         int // two registers that keep min and max, or 0
	// Registers of instructions that have no dot product.
	bytes, products rotation
}

func (t *arm64Tile) acc(row, i int) int { return t.sum + row*t.n + i }

func (t *arm64Tile) write(name string) {
	t.function(fmt.Sprintf("%s%dx%d", name, t.rows, t.columns), fmt.Sprintf("%d rows at a time times %d columns.", t.rows, t.columns), 0)
	t.arguments()
	panel, tile, run, step, tail := t.label("panel"), t.label("tile"), t.label("run"), t.label("step"), t.label("tail")
	eight, four := t.label("eight"), t.label("four")
	t.at(panel)
	t.limits(t.columns)
	t.at(tile)
	t.begin()
	t.at(run)
	t.op("MOVW.P 4(R6), R8")
	t.op("SUBS $16, R22, R9")
	t.op("BLT %s", tail)
	t.at(step)
	t.step(t, 16)
	t.op("SUBS $16, R9")
	t.op("BGE %s", step)
	t.at(tail)
	t.op("TBZ $3, R9, %s", eight)
	t.step(t, 8)
	t.at(eight)
	t.op("TBZ $2, R9, %s", four)
	t.step(t, 4)
	t.at(four)
	t.op("SUBS $1, R7")
	t.op("BNE %s", run)
	t.finishTile()
	t.op("SUBS $%d, R1", t.rows)
	t.op("BNE %s", tile)
	if t.rows == 1 {
		t.nextPanel(panel)
	}
	t.op("RET")
	t.finish()
}

// arguments loads what stays the same for all tiles.
func (t *arm64Tile) arguments() {
	t.op("MOVD b+0(FP), R0")
	for _, arg := range []string{
		"rows(R0), R1", "offsets(R0), R2", "out(R0), R3", "stride(R0), R4", "columns(R0), R20", "params(R0), R19",
		"length(R0), R22", "a(R0), R23", "b(R0), R24", "reach(R0), R25", "runs(R0), R26",
	} {
		t.op("MOVD block_%s", arg)
	}
	if t.rows == 1 {
		t.op("MOVD R3, R11")
	}
	if t.limit != 0 {
		t.loadLimits(t.limit)
	} else {
		t.op("MOVD $repeatNEON<>(SB), R5")
		t.op("VLD1 (R5), [V%d.B16, V%d.B16]", mullRepeat, mullRepeat+1)
	}
}

// nextPanel goes on with the columns of another panel behind this one, if there
// are more.
func (t *arm64Tile) nextPanel(panel string) {
	end := t.label("end")
	t.op("SUBS $%d, R20", t.columns)
	t.op("BLE %s", end)
	t.op("MOVD R5, R24")
	t.op("ADD $%d, R19", 12*t.columns+4)
	t.op("MOVD block_rows(R0), R1")
	t.op("MOVD block_offsets(R0), R2")
	t.op("ADD $%d, R11", t.columns)
	t.op("MOVD R11, R3")
	t.op("JMP %s", panel)
	t.at(end)
}

// begin loads the addresses of the next rows, and their sums' biases.
func (t *arm64Tile) begin() {
	if t.rows == 1 {
		t.op("MOVW.P 4(R2), R10")
	}
	for r := 0; r+1 < t.rows; r += 2 {
		t.op("LDPSW.P 8(R2), (R%d, R%d)", 10+r, 11+r)
	}
	for r := range t.rows {
		t.op("ADD R23, R%d", 10+r)
		for i := 0; i < t.n; i += 2 {
			t.loadPair(t.acc(r, i), t.acc(r, i+1), 19, 16*i)
		}
	}
	t.flush()
	t.op("MOVD R24, R5")
	t.op("MOVD R25, R6")
	t.op("MOVD R26, R7")
}

// dotStep multiplies size bytes of the rows, a lane of four bytes at a time, with
// 16 or fewer columns' weights each.
func dotStep(t *arm64Tile, size int) {
	for r := range t.rows {
		t.loadAt(size, r, 10+r, 8)
	}
	if size == 16 {
		t.x("ADD $16, R8", 8, 8)
	} else if size == 8 {
		t.x("ADD $8, R8", 8, 8)
	}
	weights := stream{arm64: t.arm64, base: 5, size: size * t.columns}
	w := make([]int, t.n)
	for lane := range size / 4 {
		for i := 0; i < t.n; i += 2 {
			w[i], w[i+1] = t.weights.take(), t.weights.take()
			weights.load(w[i], w[i+1])
		}
		for r := range t.rows {
			for i := range t.n {
				t.v(fmt.Sprintf("sdot.%d", lane), t.acc(r, i), w[i], r)
			}
		}
	}
	t.flush()
}

// mullStep does the same without a dot product. A vector of weights holds the
// first two of four steps of four columns, then the other two. A table look-up
// repeats a row's bytes accordingly, two products are added in 16 bits, and pairs
// of these sums in 32. That is exact as long as no weight is -128: 2·127·128 is
// less than 2^15.
func mullStep(t *arm64Tile, size int) {
	weights := stream{arm64: t.arm64, base: 5, size: size * t.columns}
	w := make([]int, t.n)
	for at := 0; at < size; at += 8 {
		part := min(size, 8)
		for r := range t.rows {
			t.loadAt(part, r, 10+r, 8)
		}
		if part == 8 {
			t.x("ADD $8, R8", 8, 8)
		}
		for four := range part / 4 {
			for i := 0; i < t.n; i += 2 {
				w[i], w[i+1] = t.weights.take(), t.weights.take()
				weights.load(w[i], w[i+1])
			}
			for r := range t.rows {
				x := t.bytes.take()
				t.v("tbl", x, r, mullRepeat+four)
				for i := range t.n {
					p := t.products.take()
					t.v("smull", p, w[i], x)
					t.v("smlal2", p, w[i], x)
					t.v("sadalp", t.acc(r, i), p)
				}
			}
		}
	}
	t.flush()
}

// mullRepeat are the registers with the indices by which bytes 0-3 and 4-7 are
// repeated.
const mullRepeat = 4

// finishTile requantizes the sums and stores them.
func (t *arm64Tile) finishTile() {
	e := epilogue{multiplier: 0, shift: 6, spare: 10, limits: t.limit, multipliers: 4 * t.columns, shifts: 8 * t.columns}
	for r := range t.rows {
		e.rows = append(e.rows, t.sums(r))
	}
	t.finishRows(e)
}

// sums are the registers of a row.
func (t *arm64Tile) sums(row int) []int {
	var regs []int
	for i := range t.n {
		regs = append(regs, t.acc(row, i))
	}
	return regs
}
