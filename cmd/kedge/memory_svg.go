package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"kedge/runtime"
)

// Measures of the SVG drawing in pixels. A model of many steps gets flatter
// rows, so that the drawing stays within svgTall.
const (
	svgWide  = 1000
	svgLeft  = 260 // where the arena begins
	svgTop   = 80  // above the first row
	svgRow   = 16
	svgTall  = 6000
	svgText  = 9 // the flattest row that holds text
	svgGap   = 24
	svgWidth = svgWide - svgLeft - 20 // of the arena
)

const svgStyle = `text{font:11px sans-serif;fill:#222}.h{font-size:14px;font-weight:bold}.n{text-anchor:end}` +
	`.p{fill:#fde9e7}.t{fill:#9ecae1;stroke:#2b6ea3}.o{fill:#a1d99b;stroke:#31843f}.a{fill:#d5e8f3;stroke:#2b6ea3;stroke-dasharray:4 2}` +
	`.s{fill:#dddddd;stroke:#777777}.k{fill:#fdc086;stroke:#b35806}.l{text-anchor:middle;pointer-events:none}.f{fill:none;stroke:#999999}`

// printSVG draws the arena as a self-contained SVG document: time downward,
// addresses across, every block a rectangle whose title says what it is.
func printSVG(w io.Writer, path string, r *runtime.Report) error {
	all := arenas(r)
	tall := svgGap
	for i := range all {
		tall += all[i].svgHeight() + svgGap
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title desc">`+"\n", svgWide, tall)
	fmt.Fprintf(&b, "<title id=\"title\">Memory of %s</title>\n", escape(printable(path, 60)))
	fmt.Fprintf(&b, "<desc id=\"desc\">Arena of %d bytes, operators downward, addresses across. Most in use: %d bytes, at %s.</desc>\n",
		r.Memory.Bytes, all[0].most(), escape(all[0].peaks()))
	fmt.Fprintf(&b, "<style>%s</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n", svgStyle)
	y := svgGap
	for i := range all {
		all[i].svg(&b, path, y)
		y += all[i].svgHeight() + svgGap
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// rowHeight is in hundredths of a pixel.
func (a *arena) rowHeight() int {
	first, last := a.steps()
	return min(svgRow*100, max(svgTall*100/(last-first+1), 1))
}

func (a *arena) svgHeight() int {
	first, last := a.steps()
	return svgTop + (a.rowHeight()*(last-first+1)+99)/100
}

// svg draws one subgraph from y on.
func (a *arena) svg(b *strings.Builder, path string, y int) {
	fmt.Fprintf(b, "<g transform=\"translate(0 %d)\">\n", y)
	fmt.Fprintf(b, "<text class=\"h\" x=\"10\" y=\"4\">%s</text>\n", escape(a.title(path)))
	fmt.Fprintf(b, "<text x=\"10\" y=\"22\">most in use: %d bytes, at %s</text>\n", a.most(), escape(a.peaks()))
	fmt.Fprintf(b, "<text x=\"10\" y=\"38\">%s</text>\n", escape(a.totals()))
	a.svgKey(b)
	fmt.Fprintf(b, "<text class=\"n\" x=\"%d\" y=\"74\">bytes in use</text>\n", svgLeft-6)
	fmt.Fprintf(b, "<text x=\"%d\" y=\"74\">%d</text><text class=\"n\" x=\"%d\" y=\"74\">%d</text>\n", svgLeft, a.base, svgLeft+svgWidth, a.base+a.Bytes)
	a.svgRows(b)
	for i := range a.Blocks {
		a.svgBlock(b, &a.Blocks[i])
	}
	first, last := a.steps()
	fmt.Fprintf(b, "<rect class=\"f\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%s\"/>\n</g>\n",
		svgLeft, svgTop, svgWidth, hundredths((last-first+1)*a.rowHeight()))
}

// svgKey explains the colors.
func (a *arena) svgKey(b *strings.Builder) {
	x := 10
	for _, k := range []struct {
		class, text string
		wide        int
	}{
		{"t", "tensor", 70}, {"o", "written over another", 140}, {"a", "with another's content", 145},
		{"s", "scratch", 75}, {"k", "kept between inferences", 155}, {"p", "most in use", 90},
	} {
		fmt.Fprintf(b, "<rect class=\"%s\" x=\"%d\" y=\"47\" width=\"12\" height=\"9\"/><text x=\"%d\" y=\"56\">%s</text>\n", k.class, x, x+17, k.text)
		x += k.wide
	}
}

// svgRows marks the steps with the most in use, and names those that there is
// room for.
func (a *arena) svgRows(b *strings.Builder) {
	first, last := a.steps()
	high := a.rowHeight()
	every := (svgText*100 + high - 1) / high
	for step := first; step <= last; step++ {
		y := svgTop*100 + (step-first)*high
		peak := a.InUse[step] == a.most()
		if peak {
			fmt.Fprintf(b, "<rect class=\"p\" x=\"0\" y=\"%s\" width=\"%d\" height=\"%s\"/>\n", hundredths(y), svgWide, hundredths(high))
		}
		if (step-first)%every != 0 {
			continue
		}
		name := a.stepName(step)
		if step > 0 && step <= len(a.operators) {
			name = fmt.Sprintf("%d %s", step-1, name)
		}
		base := hundredths(y + max(high, svgText*100)*3/4)
		fmt.Fprintf(b, "<text x=\"10\" y=\"%s\">%s</text><text class=\"n\" x=\"%d\" y=\"%s\">%d</text>\n",
			base, escape(printable(name, 28)), svgLeft-6, base, a.InUse[step])
	}
}

// svgBlock draws one block. What is written over another begins in the middle
// of the row in which the other ends.
func (a *arena) svgBlock(b *strings.Builder, m *runtime.Block) {
	first, _ := a.steps()
	high := a.rowHeight()
	top, bottom := svgTop*100+(m.First-first)*high, svgTop*100+(m.Last-first+1)*high
	class := "t"
	switch {
	case m.Kind == runtime.KindScratch:
		class = "s"
	case m.Persistent:
		class = "k"
	case m.Alias:
		class, top = "a", top+high/2
	case m.Over >= 0:
		class, top = "o", top+high/2
	}
	x0 := int(int64(m.Offset-a.base) * svgWidth * 100 / int64(a.Bytes))
	x1 := int(int64(m.Offset-a.base+m.Bytes) * svgWidth * 100 / int64(a.Bytes))
	fmt.Fprintf(b, "<g><title>%s: %d bytes at %d, operators %s</title><rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>",
		escape(describe(m)), m.Bytes, m.Offset, a.when(m), class,
		hundredths(svgLeft*100+x0), hundredths(top), hundredths(max(x1-x0, 50)), hundredths(bottom-top))
	if m.Kind == runtime.KindTensor && x1-x0 >= 2500 && bottom-top >= svgText*100 {
		fmt.Fprintf(b, "<text class=\"l\" x=\"%s\" y=\"%s\">%d</text>", hundredths(svgLeft*100+(x0+x1)/2), hundredths((top+bottom)/2+400), m.Index)
	}
	b.WriteString("</g>\n")
}

// hundredths of a pixel as a decimal number.
func hundredths(n int) string { return fmt.Sprintf("%d.%02d", n/100, n%100) }

// escape is s as XML text.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
