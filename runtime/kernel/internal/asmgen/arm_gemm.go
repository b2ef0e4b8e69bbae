package main

import "fmt"

// armTiles are the tiles of the 32-bit ARM set by panel width. Four rows of eight
// columns would leave no registers to hold more than two or three products, for
// which in-order processors would wait.
var armTiles = []struct{ columns, rows int }{{16, 1}, {8, 3}, {8, 2}, {8, 1}, {4, 4}, {4, 1}}

// neonARM writes the set for 32-bit ARM.
func neonARM(s *source) {
	for _, size := range armTiles {
		t := &armTile{arm: &arm{source: s}, rows: size.rows, columns: size.columns, n: size.columns / 4}
		t.write()
	}
	for _, pixels := range []int{4, 1} {
		(&armTile{arm: &arm{source: s}, rows: pixels, columns: 8, n: 2}).taps()
	}
	for _, pixels := range []int{2, 1} {
		armNine(&arm{source: s}, pixels)
	}
	armAdd(&arm{source: s})
	armLines(&arm{source: s})
}

// armTile writes a micro-kernel for matrix products. A step takes 16, 8 or 4
// bytes of every row at once: a vector of them meets weights of four columns, a
// pair of bytes each. Then the vector is rotated by a pair, until each column has
// met each pair; in this order the weights lie (placeNEON in package kernel). Two
// products are added in 16 bits, and pairs of these sums in 32. That is exact as
// long as no weight is -128: 2·127·128 is less than 2^15.
//
// R0 is the argument; R1 to R4 the rows; R5 the weights; R6 the next run's reach;
// R7 runs left; R8 bytes left in the run; R9 how far the rows' addresses are from
// where the rows begin. On the stack: rows left, next offsets, where results go,
// and whether the epilogue is the longer one.
type armTile struct {
	*arm
	rows, columns int
	n             int // vectors in a row of sums
	// The registers of weights, of which so many are loaded at once, and those of
	// products.
	weights, products rotation
	loaded            int
}

func (t *armTile) acc(row, i int) int { return 2 * (row*t.n + i) }

// row is the register of a row's bytes.
func (t *armTile) row(r int) int { return 2 * (t.rows*t.n + r) }

// spare is the first register of those that no sum is in.
func (t *armTile) spare() int { return t.row(0) }

// write is the micro-kernel.
func (t *armTile) write() {
	first := t.row(t.rows) / 2
	t.loaded = min(t.n, 2)
	weights := t.loaded * max(1, (16-first-3)/2/t.loaded)
	t.weights, t.products = rotate(first, weights), rotate(first+weights, 16-first-weights)
	t.function(fmt.Sprintf("gemmNEON%dx%d", t.rows, t.columns), fmt.Sprintf("Times %d columns, as many rows at a time as its name says.", t.columns), 16)
	t.arguments()
	tile := t.label("tile")
	t.at(tile)
	t.begin()
	t.loops()
	t.epilogue(tile)
}

// loops are those over runs and steps.
func (t *armTile) loops() {
	run, step, tail, four, done := t.label("run"), t.label("step"), t.label("tail"), t.label("four"), t.label("done")
	t.at(run)
	t.op("MOVW.P 4(R6), R12")
	t.op("SUB R9, R12, R9")
	for r := range t.rows {
		t.op("ADD R9, R%d", 1+r)
	}
	t.op("MOVW block_length(R0), R8")
	t.op("ADD R8, R12, R9")
	t.op("SUB.S $16, R8")
	t.op("BLT %s", tail)
	t.at(step)
	t.step(16)
	t.op("SUB.S $16, R8")
	t.op("BGE %s", step)
	t.at(tail)
	t.op("TST $12, R8")
	t.op("BEQ %s", done)
	t.op("TST $8, R8")
	t.op("BEQ %s", four)
	t.step(8)
	t.op("TST $4, R8")
	t.op("BEQ %s", done)
	t.at(four)
	t.step(4)
	t.at(done)
	t.op("SUB.S $1, R7")
	t.op("BNE %s", run)
}

// arguments takes the argument to R0, and what changes to the stack.
func (t *armTile) arguments() {
	t.op("MOVW b+0(FP), R0")
	for i, field := range []string{"rows", "offsets", "out"} {
		t.op("MOVW block_%s(R0), R1", field)
		t.op("MOVW R1, %s-%d(SP)", field, 4*i+4)
	}
	t.longer(t.columns)
	t.op("MOVW R12, longer-16(SP)")
}

// longer leaves in R12 something else than 0 if the epilogue has to look after
// fewer columns than the panel's, channels without a shift, or limits other than
// those that the arithmetic saturates at anyway. It overwrites R1.
func (a *arm) longer(columns int) {
	a.op("MOVW block_columns(R0), R12")
	a.op("SUB $%d, R12", columns)
	a.op("MOVW block_params(R0), R1")
	a.op("MOVW %d(R1), R1", 12*columns)
	a.op("ORR R1, R12")
	a.op("MOVW block_min(R0), R1")
	a.op("ADD $128, R1")
	a.op("ORR R1, R12")
	a.op("MOVW block_max(R0), R1")
	a.op("SUB $127, R1")
	a.op("ORR R1, R12")
}

// begin loads the addresses of the next rows, and their sums' biases.
func (t *armTile) begin() {
	t.op("MOVW offsets-8(SP), R12")
	if t.rows == 1 {
		t.op("MOVW.P 4(R12), R1")
	} else {
		t.op("MOVM.IA.W (R12), [R1-R%d]", t.rows)
	}
	t.op("MOVW R12, offsets-8(SP)")
	t.op("MOVW block_a(R0), R12")
	for r := range t.rows {
		t.op("ADD R12, R%d", 1+r)
	}
	t.op("MOVW block_params(R0), R12")
	t.op("MOVW block_b(R0), R5")
	t.op("MOVW block_reach(R0), R6")
	t.op("MOVW block_runs(R0), R7")
	t.op("MOVW $0, R9")
	for i := 0; i < t.n; i += 2 {
		for r := range t.rows {
			step := stay
			if i+2 < t.n && r == t.rows-1 {
				step = next
			}
			t.load(t.acc(r, i), 2*min(t.n, 2), 12, step)
		}
	}
	t.flush()
}

// step multiplies size bytes of every row.
func (t *armTile) step(size int) {
	for r := range t.rows {
		x := t.row(r)
		switch size {
		case 16:
			t.load(x, 2, 1+r, next)
		case 8:
			t.load(x, 1, 1+r, next)
			t.v("rotate8", x+1, x, x)
		case 4:
			t.repeat(x, 1+r, next)
			t.v("vrev32.16", x+1, x)
		}
	}
	for turn := range size / 4 {
		if size == 8 && turn == 1 {
			for r := range t.rows {
				t.v("rotate8by4", t.row(r), t.row(r), t.row(r))
				t.v("rotate8by4", t.row(r)+1, t.row(r)+1, t.row(r)+1)
			}
		} else if size == 16 && turn > 0 {
			for r := range t.rows {
				t.v("rotate16", t.row(r), t.row(r), t.row(r))
			}
		}
		t.turn()
	}
	t.flush()
}

// turn multiplies the vectors of bytes as they lie.
func (t *armTile) turn() {
	for i := 0; i < t.n; i += t.loaded {
		w := 2 * t.weights.take()
		if t.loaded == 2 {
			t.weights.take()
		}
		t.load(w, 2*t.loaded, 5, next)
		for r := range t.rows {
			for j := range t.loaded {
				p, x := 2*t.products.take(), t.row(r)
				t.v("vmull.s8", p, w+2*j, x)
				t.v("vmlal.s8", p, w+2*j+1, x+1)
				t.v("vpadal.s16", t.acc(r, i+j), p)
			}
		}
	}
}

// epilogue requantizes the sums, stores them, and goes on to the next tile.
func (t *armTile) epilogue(tile string) {
	longer := t.label("longer")
	t.op("MOVW longer-16(SP), R12")
	t.op("MOVW out-12(SP), R5")
	t.op("MOVW block_params(R0), R1")
	t.op("ADD $%d, R1", 4*t.columns)
	t.op("ADD $%d, R1, R2", 4*t.columns)
	t.op("MOVW block_zero(R0), R3")
	t.op("MOVW block_stride(R0), R4")
	t.op("CMP $0, R12")
	t.op("BNE %s", longer)
	for _, long := range []bool{false, true} {
		if long {
			t.at(longer)
		}
		e := armEpilogue{arm: t.arm, long: long, spare: t.spare() + 8, least: t.spare() + 2}
		for i := 0; i < t.n; i += 2 {
			n := min(t.n, 2)
			m := t.spare()
			t.load(m, 2*n, 1, next)
			t.load(m+4, 2*n, 2, next)
			for r := range t.rows {
				for j := range n {
					e.scale(t.acc(r, i+j), m+2*j, m+4+2*j)
				}
			}
		}
		t.spread(2, t.spare(), 3)
		if long {
			e.limits()
		}
		for r := range t.rows {
			for i := 0; i < t.n; i += 2 {
				e.narrow(t.acc(r, i), min(t.n, 2), t.spare(), t.acc(r, 0)+i/2)
			}
		}
		t.results(long)
		t.op("MOVW R5, out-12(SP)")
		t.op("MOVW rows-4(SP), R1")
		t.op("SUB.S $%d, R1", t.rows)
		t.op("MOVW R1, rows-4(SP)")
		t.op("BNE %s", tile)
		t.op("RET")
	}
}

// results stores the rows' bytes at R5, R4 bytes apart.
func (t *armTile) results(long bool) {
	part, done := t.label("part"), t.label("done")
	t.flush()
	if long {
		t.op("MOVW block_columns(R0), R12")
		t.op("CMP $%d, R12", t.columns)
		t.op("BLT %s", part)
	}
	for r := range t.rows {
		if t.columns == 4 {
			t.storePart(4, t.acc(r, 0), 5, 4)
		} else {
			t.store(t.acc(r, 0), t.n/2, 5, 4)
		}
	}
	t.flush()
	if long {
		t.op("B %s", done)
		t.at(part)
		for r := range t.rows {
			t.few(t.acc(r, 0), t.columns)
		}
		t.at(done)
	}
}

// few stores the first R12 bytes, fewer than columns and eight, of d at R5, which
// then moves on by R4. It overwrites d and R1.
func (a *arm) few(d, columns int) {
	a.op("MOVW R5, R1")
	for size := min(columns, 8) / 2; size > 0; size /= 2 {
		skip := a.label("skip")
		a.op("TST $%d, R12", size)
		a.op("BEQ %s", skip)
		a.storePart(size, d, 1, next)
		if size > 1 {
			a.v(map[int]string{4: "half", 2: "quarter"}[size], d, d)
		}
		a.flush()
		a.at(skip)
	}
	a.op("ADD R4, R5")
}
