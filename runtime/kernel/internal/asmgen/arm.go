package main

import (
	"fmt"
	"strings"
)

// armForm is a vector instruction of 32-bit ARM, of which Go's assembler knows
// none. Registers are named by their first 64 bits: an operand q of n is that of
// d 2n. fields says for each operand which field of the encoding it is in.
type armForm struct {
	word    uint32
	text    string // as an assembler would read it
	fields  string
	latency int  // of a Cortex-A7, roughly
	adds    bool // the destination is read too
}

// armForms are the instructions by a name of our own.
var armForms = map[string]armForm{
	"vmull.s8":     {0xf2800c00, "vmull.s8 q, d, d", "dnm", 4, false},
	"vmlal.s8":     {0xf2800800, "vmlal.s8 q, d, d", "dnm", 4, true},
	"vmlal.s16":    {0xf2900800, "vmlal.s16 q, d, d", "dnm", 4, true},
	"vpadal.s16":   {0xf3b40640, "vpadal.s16 q, q", "dm", 4, true},
	"vaddw.s16":    {0xf2900100, "vaddw.s16 q, q, d", "dnm", 3, false},
	"vsubl.s8":     {0xf2800200, "vsubl.s8 q, d, d", "dnm", 3, false},
	"rotate16":     {0xf2b00240, "vext.8 q, q, q, #2", "dnm", 3, false},
	"rotate8":      {0xf2b00200, "vext.8 d, d, d, #2", "dnm", 3, false},
	"rotate8by4":   {0xf2b00400, "vext.8 d, d, d, #4", "dnm", 3, false},
	"vrev32.16":    {0xf3b40080, "vrev32.16 d, d", "dm", 3, false},
	"vqrdmulh.s32": {0xf3200b40, "vqrdmulh.s32 q, q, q", "dnm", 4, false},
	"sign":         {0xf2a10150, "vsra.s32 q, q, #31", "dm", 4, true},
	"vrshl.s32":    {0xf2200540, "vrshl.s32 q, q, q", "dmn", 4, false},
	"vand":         {0xf2000150, "vand q, q, q", "dnm", 2, false},
	"vqmovn.s32":   {0xf3b60280, "vqmovn.s32 d, q", "dm", 4, false},
	"vqmovn.s16":   {0xf3b20280, "vqmovn.s16 d, q", "dm", 4, false},
	"vqadd.s16":    {0xf2100050, "vqadd.s16 q, q, q", "dnm", 3, false},
	"vmax.s8":      {0xf2000600, "vmax.s8 d, d, d", "dnm", 3, false},
	"vmin.s8":      {0xf2000610, "vmin.s8 d, d, d", "dnm", 3, false},
	"shl5":         {0xf2950550, "vshl.i16 q, q, #5", "dm", 3, false},
	"shl6":         {0xf2960550, "vshl.i16 q, q, #6", "dm", 3, false},
	"vshll15":      {0xf29f0a10, "vshll.s16 q, d, #15", "dm", 3, false},
	"half":         {0xf3a00090, "vshr.u64 d, d, #32", "dm", 3, false},
	"quarter":      {0xf3b00090, "vshr.u64 d, d, #16", "dm", 3, false},
}

// armField is where an encoding holds a register: four bits, and a fifth above
// all others.
var armField = map[byte]struct{ low, high uint }{'d': {12, 22}, 'n': {16, 7}, 'm': {0, 5}}

func armRegister(field byte, d int) uint32 {
	f := armField[field]
	return uint32(d&15)<<f.low | uint32(d>>4)<<f.high
}

// encode is the instruction with these registers, and its text.
func (f *armForm) encode(regs []int) (uint32, string) {
	w := f.word
	name, operands, _ := strings.Cut(f.text, " ")
	parts := strings.Split(operands, ", ")
	for i, d := range regs {
		w |= armRegister(f.fields[i], d)
		if parts[i] == "q" {
			d /= 2
		}
		parts[i] = fmt.Sprintf("%s%d", parts[i], d)
	}
	return w, name + " " + strings.Join(parts, ", ")
}

// halves are the registers of an operand.
func (f *armForm) halves(i, d int) []string {
	_, operands, _ := strings.Cut(f.text, " ")
	if strings.Split(operands, ", ")[i] == "q" {
		return []string{vreg(d), vreg(d + 1)}
	}
	return []string{vreg(d)}
}

// arm collects a straight piece of code until it is flushed into the source.
type arm struct {
	*source
	piece []instruction
}

// v adds a vector instruction.
func (a *arm) v(form string, regs ...int) {
	f, ok := armForms[form]
	if !ok || len(regs) != len(f.fields) {
		panic(form)
	}
	in := instruction{text: word(f.encode(regs)), unit: vector, latency: f.latency, writes: f.halves(0, regs[0])}
	for i, d := range regs {
		if i > 0 || f.adds {
			in.reads = append(in.reads, f.halves(i, d)...)
		}
	}
	a.piece = append(a.piece, in)
}

// How an access moves its base register on: not at all, by what was accessed, or
// by the register of that number.
const (
	stay = 15
	next = 13
)

// armLists are the vld1.8 of one, two or four registers; vst1.8 lacks a bit of
// them.
var armLists = [...]uint32{1: 0xf4200700, 2: 0xf4200a00, 4: 0xf4200200}

// armMove is vld1.8 or vst1.8 of n registers from d on.
func armMove(load bool, d, n, base, step int) (uint32, string) {
	name, w := "vld1.8", armLists[n]
	if !load {
		name, w = "vst1.8", w&^(1<<21)
	}
	list := fmt.Sprintf("{d%d}", d)
	if n > 1 {
		list = fmt.Sprintf("{d%d-d%d}", d, d+n-1)
	}
	return armAt(w, d, base, step), fmt.Sprintf("%s %s, %s", name, list, armAddress(base, step))
}

func armAt(w uint32, d, base, step int) uint32 {
	return w | armRegister('d', d) | uint32(base)<<16 | uint32(step)
}

func armAddress(base, step int) string {
	switch step {
	case stay:
		return fmt.Sprintf("[r%d]", base)
	case next:
		return fmt.Sprintf("[r%d]!", base)
	}
	return fmt.Sprintf("[r%d], r%d", base, step)
}

// armPart is a load or store of the first 1, 2 or 4 bytes of d.
func armPart(load bool, size, d, base, step int) (uint32, string) {
	w := map[int]uint32{1: 0xf4800000, 2: 0xf4800400, 4: 0xf4800800}[size]
	name := "vst1"
	if load {
		name, w = "vld1", w|1<<21
	}
	return armAt(w, d, base, step), fmt.Sprintf("%s.%d {d%d[0]}, %s", name, 8*size, d, armAddress(base, step))
}

// armRepeat loads four bytes into both halves of d.
func armRepeat(d, base, step int) (uint32, string) {
	return armAt(0xf4a00c80, d, base, step), fmt.Sprintf("vld1.32 {d%d[]}, %s", d, armAddress(base, step))
}

// armSpread copies a register into all elements of size bytes of the two
// registers from d on.
func armSpread(size, d, r int) (uint32, string) {
	w := map[int]uint32{1: 0xeee00b10, 2: 0xeea00b30, 4: 0xeea00b10}[size]
	// Its destination is where others have n.
	return w | armRegister('n', d) | uint32(r)<<12, fmt.Sprintf("vdup.%d q%d, r%d", 8*size, d/2, r)
}

// access adds a load or store of the n registers from d on.
func (a *arm) access(load bool, d, n, base, step int, w uint32, text string) {
	in := instruction{text: word(w, text), unit: memory, latency: 3, reads: []string{xreg(base), "memory"}}
	for i := range n {
		in.writes = append(in.writes, vreg(d+i))
	}
	if !load {
		in.latency, in.reads, in.writes = 1, append(in.writes, xreg(base)), []string{"memory"}
	}
	if step != stay {
		in.writes = append(in.writes, xreg(base))
	}
	if step != stay && step != next {
		in.reads = append(in.reads, xreg(step))
	}
	a.piece = append(a.piece, in)
}

func (a *arm) load(d, n, base, step int) {
	w, text := armMove(true, d, n, base, step)
	a.access(true, d, n, base, step, w, text)
}

func (a *arm) store(d, n, base, step int) {
	w, text := armMove(false, d, n, base, step)
	a.access(false, d, n, base, step, w, text)
}

// loadPart overwrites only the first bytes of d, so what was in it is read.
func (a *arm) loadPart(size, d, base, step int) {
	w, text := armPart(true, size, d, base, step)
	a.access(true, d, 1, base, step, w, text)
	in := &a.piece[len(a.piece)-1]
	in.reads = append(in.reads, vreg(d))
}

func (a *arm) storePart(size, d, base, step int) {
	w, text := armPart(false, size, d, base, step)
	a.access(false, d, 1, base, step, w, text)
}

func (a *arm) repeat(d, base, step int) {
	w, text := armRepeat(d, base, step)
	a.access(true, d, 1, base, step, w, text)
}

func (a *arm) spread(size, d, r int) {
	in := instruction{text: word(armSpread(size, d, r)), unit: vector, latency: 3, reads: []string{xreg(r)}, writes: []string{vreg(d), vreg(d + 1)}}
	a.piece = append(a.piece, in)
}

// x adds an instruction on the other registers.
func (a *arm) x(text string, writes int, reads ...int) {
	in := instruction{text: text, unit: scalar, latency: 1, writes: []string{xreg(writes)}}
	for _, r := range reads {
		in.reads = append(in.reads, xreg(r))
	}
	a.piece = append(a.piece, in)
}

// flush writes the piece in its best order.
func (a *arm) flush() {
	for _, in := range schedule(a.piece) {
		a.op("%s", in.text)
	}
	a.piece = a.piece[:0]
}
