package main

import (
	"fmt"
	"strings"
)

// arm64Form is an instruction that Go's assembler does not know, or knows in
// other forms only. Registers are numbered in the order of the operands: the
// first in bits 0-4, the second in 5-9, the third in 16-20.
type arm64Form struct {
	word    uint32
	text    string // as an assembler would read it
	latency int    // of a Cortex-A53 or A55, roughly
	adds    bool   // the destination is read too
}

// arm64Forms are the vector instructions by a name of our own.
var arm64Forms = map[string]arm64Form{
	"smull":    {0x0e20c000, "smull v%d.8h, v%d.8b, v%d.8b", 4, false},
	"smull2":   {0x4e20c000, "smull2 v%d.8h, v%d.16b, v%d.16b", 4, false},
	"smlal":    {0x0e208000, "smlal v%d.8h, v%d.8b, v%d.8b", 4, true},
	"smlal2":   {0x4e208000, "smlal2 v%d.8h, v%d.16b, v%d.16b", 4, true},
	"sadalp":   {0x4e606800, "sadalp v%d.4s, v%d.8h", 4, true},
	"saddw":    {0x0e601000, "saddw v%d.4s, v%d.4s, v%d.4h", 3, false},
	"saddw2":   {0x4e601000, "saddw2 v%d.4s, v%d.4s, v%d.8h", 3, false},
	"tbl":      {0x4e000000, "tbl v%d.16b, { v%d.16b }, v%d.16b", 2, false},
	"sqrdmulh": {0x6ea0b400, "sqrdmulh v%d.4s, v%d.4s, v%d.4s", 4, false},
	"sign":     {0x4f211400, "ssra v%d.4s, v%d.4s, #31", 3, true},
	"srshl":    {0x4ea05400, "srshl v%d.4s, v%d.4s, v%d.4s", 4, false},
	"and":      {0x4e201c00, "and v%d.16b, v%d.16b, v%d.16b", 1, false},
	"sqxtn.h":  {0x0e614800, "sqxtn v%d.4h, v%d.4s", 4, false},
	"sqxtn2.h": {0x4e614800, "sqxtn2 v%d.8h, v%d.4s", 4, true},
	"sqxtn.b":  {0x0e214800, "sqxtn v%d.8b, v%d.8h", 4, false},
	"sqxtn2.b": {0x4e214800, "sqxtn2 v%d.16b, v%d.8h", 4, true},
	"sqadd.s":  {0x4ea00c00, "sqadd v%d.4s, v%d.4s, v%d.4s", 3, false},
	"fdiv":     {0x6e20fc00, "fdiv v%d.4s, v%d.4s, v%d.4s", 20, false},
	"fcvtas":   {0x4e21c800, "fcvtas v%d.4s, v%d.4s", 4, false},
	"sqadd":    {0x4e600c00, "sqadd v%d.8h, v%d.8h, v%d.8h", 3, false},
	"smax":     {0x4e206400, "smax v%d.16b, v%d.16b, v%d.16b", 2, false},
	"smin":     {0x4e206c00, "smin v%d.16b, v%d.16b, v%d.16b", 2, false},
	"uzp1":     {0x4e401800, "uzp1 v%d.8h, v%d.8h, v%d.8h", 2, false},
	"zip1.b":   {0x4e003800, "zip1 v%d.16b, v%d.16b, v%d.16b", 2, false},
	"zip2.b":   {0x4e007800, "zip2 v%d.16b, v%d.16b, v%d.16b", 2, false},
	"zip1.h":   {0x4e403800, "zip1 v%d.8h, v%d.8h, v%d.8h", 2, false},
	"zip2.h":   {0x4e407800, "zip2 v%d.8h, v%d.8h, v%d.8h", 2, false},
	"sdot":     {0x4e809400, "sdot v%d.4s, v%d.16b, v%d.16b", 4, true},
	"ssubl":    {0x0e202000, "ssubl v%d.8h, v%d.8b, v%d.8b", 3, false},
	"ssubl2":   {0x4e202000, "ssubl2 v%d.8h, v%d.16b, v%d.16b", 3, false},
	"shl5":     {0x4f155400, "shl v%d.8h, v%d.8h, #5", 2, false},
	"shl6":     {0x4f165400, "shl v%d.8h, v%d.8h, #6", 2, false},
	"sshll15":  {0x0f1fa400, "sshll v%d.4s, v%d.4h, #15", 2, false},
	"sshll152": {0x4f1fa400, "sshll2 v%d.4s, v%d.8h, #15", 2, false},
	"smlal.s":  {0x0e608000, "smlal v%d.4s, v%d.4h, v%d.4h", 4, true},
	"smlal.s2": {0x4e608000, "smlal2 v%d.4s, v%d.8h, v%d.8h", 4, true},
	"sdot.0":   {0x4f80e000, "sdot v%d.4s, v%d.16b, v%d.4b[0]", 4, true},
	"sdot.1":   {0x4fa0e000, "sdot v%d.4s, v%d.16b, v%d.4b[1]", 4, true},
	"sdot.2":   {0x4f80e800, "sdot v%d.4s, v%d.16b, v%d.4b[2]", 4, true},
	"sdot.3":   {0x4fa0e800, "sdot v%d.4s, v%d.16b, v%d.4b[3]", 4, true},
}

// word is the encoding with these registers.
func (f *arm64Form) encode(regs []int) uint32 {
	w := f.word
	for i, r := range regs {
		w |= uint32(r) << [...]uint{0, 5, 16}[i]
	}
	return w
}

// arm64 collects a straight piece of code until it is flushed into the source.
type arm64 struct {
	*source
	piece []instruction
	// later writes what stands behind the function's end.
	later []func()
}

// v adds a vector instruction.
func (a *arm64) v(form string, regs ...int) {
	f, ok := arm64Forms[form]
	if !ok || len(regs) != strings.Count(f.text, "%d") {
		panic(form)
	}
	in := instruction{unit: vector, latency: f.latency, writes: []string{vreg(regs[0])}}
	for i, r := range regs {
		if i > 0 || f.adds {
			in.reads = append(in.reads, vreg(r))
		}
	}
	args := make([]any, len(regs))
	for i, r := range regs {
		args[i] = r
	}
	in.text = word(f.encode(regs), fmt.Sprintf(f.text, args...))
	a.piece = append(a.piece, in)
}

func word(w uint32, text string) string { return fmt.Sprintf("WORD $0x%08x // %s", w, text) }

func vreg(r int) string { return fmt.Sprintf("v%d", r) }

func xreg(r int) string { return fmt.Sprintf("x%d", r) }

// loadAt loads 16, 8 or 4 bytes at the sum of two registers.
func (a *arm64) loadAt(size, v, base, index int) {
	a.piece = append(a.piece, instruction{
		text: word(arm64LoadAt(size, v, base, index)), unit: memory, latency: 4,
		reads: []string{xreg(base), xreg(index), "memory"}, writes: []string{vreg(v)},
	})
}

func arm64LoadAt(size, v, base, index int) (uint32, string) {
	w := map[int]uint32{16: 0x3ce06800, 8: 0xfc606800, 4: 0xbc606800}[size]
	name := map[int]string{16: "q", 8: "d", 4: "s"}[size]
	return w | uint32(index)<<16 | uint32(base)<<5 | uint32(v), fmt.Sprintf("ldr %s%d, [x%d, x%d]", name, v, base, index)
}

// loadPair loads two vectors from base+offset; loadNext from base, which then
// moves on by offset.
func (a *arm64) loadPair(v1, v2, base, offset int) {
	w, text := arm64LoadPair(v1, v2, base, offset)
	a.piece = append(a.piece, instruction{
		text: word(w, text), unit: memory, latency: 4,
		reads: []string{xreg(base), "memory"}, writes: []string{vreg(v1), vreg(v2)},
	})
}

func (a *arm64) loadNext(v1, v2, base, offset int) {
	a.loadPair(v1, v2, base, offset)
	in := &a.piece[len(a.piece)-1]
	in.text = word(arm64LoadNext(v1, v2, base, offset))
	in.writes, in.address = append(in.writes, xreg(base)), xreg(base)
}

// stream loads size bytes from base on, a pair of vectors at a time. The first
// load moves base behind all of them; the others count from there back, so that
// they need not wait for one another.
type stream struct {
	*arm64
	base, size, at int
}

func (s *stream) load(v1, v2 int) {
	if s.at == 0 {
		s.loadNext(v1, v2, s.base, s.size)
	} else {
		s.loadPair(v1, v2, s.base, s.at-s.size)
	}
	s.at += 32
}

func arm64LoadPair(v1, v2, base, offset int) (uint32, string) {
	return 0xad400000 | arm64Pair(v1, v2, base, offset), fmt.Sprintf("ldp q%d, q%d, [x%d, #%d]", v1, v2, base, offset)
}

func arm64LoadNext(v1, v2, base, offset int) (uint32, string) {
	return 0xacc00000 | arm64Pair(v1, v2, base, offset), fmt.Sprintf("ldp q%d, q%d, [x%d], #%d", v1, v2, base, offset)
}

func arm64Pair(v1, v2, base, offset int) uint32 {
	return uint32(offset/16&0x7f)<<15 | uint32(v2)<<10 | uint32(base)<<5 | uint32(v1)
}

// store stores a vector's first 16 or 8 bytes at base, which then moves on by
// step.
func (a *arm64) store(size, v, base, step int) {
	a.piece = append(a.piece, instruction{
		text: word(arm64Store(size, v, base, step)), unit: memory, latency: 1,
		reads: []string{xreg(base), xreg(step), vreg(v)}, writes: []string{xreg(base), "memory"}, address: xreg(base),
	})
}

func arm64Store(size, v, base, step int) (uint32, string) {
	w := map[int]uint32{16: 0x4c807000, 8: 0x0c807000}[size]
	return w | uint32(step)<<16 | uint32(base)<<5 | uint32(v), fmt.Sprintf("st1 { v%d.%db }, [x%d], x%d", v, size, base, step)
}

// x adds an instruction on the other registers that Go's assembler knows.
func (a *arm64) x(text string, writes int, reads ...int) {
	in := instruction{text: text, unit: scalar, latency: 1, writes: []string{xreg(writes)}}
	for _, r := range reads {
		in.reads = append(in.reads, xreg(r))
	}
	a.piece = append(a.piece, in)
}

// flush writes the piece in its best order.
func (a *arm64) flush() {
	for _, in := range schedule(a.piece) {
		a.op("%s", in.text)
	}
	a.piece = a.piece[:0]
}

// rotation hands out registers in turn.
type rotation struct{ first, n, next int }

func rotate(first, n int) rotation { return rotation{first, n, 0} }

func (r *rotation) take() int {
	reg := r.first + r.next
	r.next = (r.next + 1) % r.n
	return reg
}
