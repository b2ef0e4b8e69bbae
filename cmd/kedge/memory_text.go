package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"kedge/runtime"
)

// The drawing fits 100 columns: 44 for the step and its use, the rest for the
// arena. A model of more steps than rows gets several steps in a row.
const (
	textCells = 56
	textRows  = 200
)

const textLegend = `down: operators; across: addresses
[7--- tensor 7, [7>9 tensor 9 is written over 7, [7=9 tensor 9 has 7's content,
[::: scratch, [### kept between inferences, + several begin here, * most in use
`

// printMemory draws the arena in text: a row for each step, then a list of what
// lies where.
func printMemory(w io.Writer, path string, r *runtime.Report) error {
	var b strings.Builder
	for i, a := range arenas(r) {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s\nmost in use: %d bytes, at %s\n%s\n", a.title(path), a.most(), a.peaks(), a.totals())
		if i == 0 {
			b.WriteString("\n" + textLegend)
		}
		a.draw(&b)
		a.list(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// draw writes the picture.
func (a *arena) draw(b *strings.Builder) {
	cell := cellBytes(a.Bytes)
	cells := max((a.Bytes+cell-1)/cell, 1)
	first, last := a.steps()
	per := (last-first)/textRows + 1
	fmt.Fprintf(b, "\n%41s  one character is %d bytes\n", "bytes in use", cell)
	alive := a.alive(first, last, per)
	for row, from := 0, first; from <= last; row, from = row+1, from+per {
		step := a.busiest(from, min(from+per-1, last))
		mark := ' '
		if a.InUse[step] == a.most() {
			mark = '*'
		}
		name := a.stepName(step)
		if step > 0 && step <= len(a.operators) {
			name = fmt.Sprintf("%5d %s", step-1, name)
		} else {
			name = "      " + name
		}
		fmt.Fprintf(b, "%c%-28s%12d |%s|\n", mark, printable(name, 28), a.InUse[step], a.row(alive[row], step, cell, cells))
	}
}

// cellBytes is how much a character stands for: a power of two for a small
// arena, otherwise a multiple of the plan's alignment.
func cellBytes(bytes int) int {
	cell := 1
	for cell < 64 && cell*textCells < bytes {
		cell *= 2
	}
	if cell*textCells >= bytes {
		return cell
	}
	return runtime.Padded((bytes + textCells - 1) / textCells)
}

// busiest is the step of a row's with the most in use.
func (a *arena) busiest(from, to int) int {
	best := from
	for step := from; step <= to; step++ {
		if a.InUse[step] > a.InUse[best] {
			best = step
		}
	}
	return best
}

// alive lists by row the blocks that are in use at its busiest step.
func (a *arena) alive(first, last, per int) [][]*runtime.Block {
	var steps []int
	for from := first; from <= last; from += per {
		steps = append(steps, a.busiest(from, min(from+per-1, last)))
	}
	rows := make([][]*runtime.Block, len(steps))
	for i := range a.Blocks {
		b := &a.Blocks[i]
		for row := max((b.First-first)/per, 0); row < len(steps) && row <= (b.Last-first)/per; row++ {
			if b.First <= steps[row] && steps[row] <= b.Last {
				rows[row] = append(rows[row], b)
			}
		}
	}
	return rows
}

// row draws the blocks in use at a step.
func (a *arena) row(blocks []*runtime.Block, step, cell, cells int) string {
	line := []byte(strings.Repeat(" ", cells))
	top := map[int]*runtime.Block{} // by offset: of those that share it the last to begin
	for _, b := range blocks {
		top[b.Offset] = b
		from, to := a.cells(b, cell)
		for i := from; i < to; i++ {
			line[i] = fill(b)
		}
	}
	starts := make([]int, cells)
	for offset := range top {
		starts[(offset-a.base)/cell]++
	}
	for i, n := range starts {
		switch {
		case n == 1:
			line[i] = '['
		case n > 1:
			line[i] = '+'
		}
	}
	for _, b := range blocks {
		if from, to := a.cells(b, cell); top[b.Offset] == b {
			label(line[from+1:to], b, step)
		}
	}
	return string(line)
}

// cells is the range of characters that a block covers, if only in part.
func (a *arena) cells(b *runtime.Block, cell int) (from, to int) {
	at := b.Offset - a.base
	return at / cell, (at + b.Bytes + cell - 1) / cell
}

// fill is the character for a block's memory.
func fill(b *runtime.Block) byte {
	switch {
	case b.Kind == runtime.KindScratch:
		return ':'
	case b.Persistent:
		return '#'
	}
	return '-'
}

// label writes a tensor's number into its characters where there is room; at the
// step at which it takes another's memory, both numbers.
func label(room []byte, b *runtime.Block, step int) {
	if b.Kind != runtime.KindTensor {
		return
	}
	if i := bytes.IndexAny(room, "[+"); i >= 0 {
		room = room[:i]
	}
	text := fmt.Sprint(b.Index)
	both := fmt.Sprint(b.Over) + ">" + text
	if b.Alias {
		both = fmt.Sprint(b.Over) + "=" + text
	}
	if b.Over >= 0 && step == b.First && len(both) <= len(room) {
		text = both
	}
	if len(text) <= len(room) {
		copy(room, text)
	}
}

// list writes what lies where.
func (a *arena) list(b *strings.Builder) {
	fmt.Fprintf(b, "\n%10s %10s  %-13s what\n", "offset", "bytes", "operators")
	for i := range a.Blocks {
		m := &a.Blocks[i]
		fmt.Fprintf(b, "%10d %10d  %-13s %s\n", m.Offset, m.Bytes, a.when(m), describe(m))
	}
}
