package replay

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Measures of the drawing in pixels.
const (
	svgWide   = 960
	svgTall   = 560
	svgLeft   = 70
	svgRight  = 20
	svgWidth  = svgWide - svgLeft - svgRight
	svgUpper  = 70  // top of the signal's panel
	svgLower  = 330 // top of the statistics' panel
	svgHeight = 180 // of a panel
)

const svgStyle = `text{font:12px sans-serif;fill:#222}.h{font-size:15px;font-weight:bold}.n{text-anchor:end}.m{text-anchor:middle}` +
	`.g{stroke:#ddd}.f{fill:none;stroke:#888}path{fill:none;stroke-width:1.2;stroke-linejoin:round}` +
	`.x{stroke:#b4bfcc}.y{stroke:#222;stroke-width:2}.t{stroke:#222;stroke-dasharray:6 4}.a{stroke:#d62728}.b{stroke:#d62728;stroke-width:2}` +
	`.s0{stroke:#1f77b4}.s1{stroke:#ff7f0e}.s2{stroke:#2ca02c}.s3{stroke:#9467bd}.s4{stroke:#8c564b}`

// WriteSVG draws the signal and its mean above, every statistic as a share of its
// threshold below, and the alarms on both, as a self-contained SVG document.
func (c *Chart) WriteSVG(w io.Writer, title string) error {
	var b strings.Builder
	alarm := "no alarm"
	if c.first >= 0 {
		alarm = fmt.Sprintf("first alarm at row %d", c.first)
	}
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
		`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title desc">`+"\n", svgWide, svgTall)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s over %d rows, and %s: %s.</desc>\n<style>%s</style>\n",
		escape(title), escape(c.signal), c.rows, escape(strings.Join(c.lines, ", ")), alarm, svgStyle)
	fmt.Fprintf(&b, "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>\n<text class=\"h\" x=\"%d\" y=\"24\">%s</text>\n", svgLeft, escape(title))
	c.legend(&b, alarm)

	signal := panel{top: svgUpper, label: c.signal, rows: c.rows, span: widen(c.signals())}
	signal.frame(&b)
	statistic := panel{top: svgLower, label: "statistic / threshold", rows: c.rows, span: c.shares()}
	statistic.frame(&b)
	signal.path(&b, "x", c, func(v *bin) extent { return v.signal })
	means := c.means()
	signal.path(&b, "y", &means, func(v *bin) extent { return v.signal })
	y := statistic.y(1)
	fmt.Fprintf(&b, "<path class=\"t\" d=\"M%d %sH%d\"/>\n", svgLeft, y, svgLeft+svgWidth)
	for j := range c.lines {
		statistic.path(&b, fmt.Sprint("s", j), c, func(v *bin) extent { return v.shares[j] })
	}
	c.alarms(&b)
	fmt.Fprintf(&b, "<text class=\"m\" x=\"%d\" y=\"%d\">row</text>\n</svg>\n", svgLeft+svgWidth/2, svgTall-10)
	_, err := io.WriteString(w, b.String())
	return err
}

// legend explains the lines.
func (c *Chart) legend(b *strings.Builder, alarm string) {
	x := svgLeft
	entry := func(class, text string) {
		fmt.Fprintf(b, "<path class=\"%s\" d=\"M%d 44h22\"/><text x=\"%d\" y=\"48\">%s</text>\n", class, x, x+28, escape(text))
		x += 28 + 7*len(text) + 24
	}
	entry("x", "signal")
	if means := c.means(); means.stride > 1 {
		entry("y", fmt.Sprintf("mean of %d", means.stride))
	}
	for j, name := range c.lines {
		entry(fmt.Sprint("s", j), name)
	}
	entry("t", "threshold")
	entry("b", alarm)
}

// alarms draws the first alarm through both panels, and a mark above each for every
// bin with one.
func (c *Chart) alarms(b *strings.Builder) {
	b.WriteString("<path class=\"a\" d=\"")
	for i := range c.bins {
		if c.bins[i].alarm {
			x := across(int64(i)*c.stride, c.rows)
			fmt.Fprintf(b, "M%s %dv-7M%[1]s %[3]dv-7", x, svgUpper, svgLower)
		}
	}
	b.WriteString("\"/>\n")
	if c.first >= 0 {
		fmt.Fprintf(b, "<path class=\"b\" d=\"M%s %dV%dM%[1]s %[4]dV%[5]d\"/>\n",
			across(c.first, c.rows), svgUpper, svgUpper+svgHeight, svgLower, svgLower+svgHeight)
	}
}

// panel is a coordinate system over the rows.
type panel struct {
	top   int
	label string
	rows  int64
	span  extent
}

// widen makes an interval that can be drawn of any.
func widen(e extent) extent {
	if margin := float64((e.high - e.low) * 0.05); margin > 0 && !math.IsInf(margin, 0) {
		return extent{e.low - margin, e.high + margin, true}
	}
	margin := max(float64(math.Abs(e.low)*0.1), 1e-3)
	return extent{e.low - margin, e.high + margin, true}
}

// across is the place of a row.
func across(row, rows int64) string {
	return pixels(svgLeft + svgWidth*(float64(row)+0.5)/float64(rows))
}

// y is the place of a value, within the panel.
func (p panel) y(v float64) string {
	share := (v - p.span.low) / (p.span.high - p.span.low)
	// Rounded before the sum, so that every machine draws the same.
	return pixels(float64(p.top) + float64(svgHeight*(1-min(max(share, 0), 1))))
}

func pixels(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// frame draws grid, numbers and label.
func (p panel) frame(b *strings.Builder) {
	for _, v := range ticks(p.span.low, p.span.high, 5) {
		y := p.y(v)
		fmt.Fprintf(b, "<path class=\"g\" d=\"M%d %sH%d\"/><text class=\"n\" x=\"%d\" y=\"%s\" dy=\"4\">%s</text>\n",
			svgLeft, y, svgLeft+svgWidth, svgLeft-6, y, strconv.FormatFloat(v, 'g', 6, 64))
	}
	for _, v := range ticks(0, float64(p.rows-1), 10) {
		if v != math.Trunc(v) {
			continue // between two rows
		}
		x := across(int64(v), p.rows)
		fmt.Fprintf(b, "<path class=\"g\" d=\"M%s %dv%d\"/><text class=\"m\" x=\"%[1]s\" y=\"%[4]d\">%[5]s</text>\n",
			x, p.top, svgHeight, p.top+svgHeight+15, strconv.FormatFloat(v, 'f', 0, 64))
	}
	fmt.Fprintf(b, "<rect class=\"f\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", svgLeft, p.top, svgWidth, svgHeight)
	middle := p.top + svgHeight/2
	fmt.Fprintf(b, "<text class=\"m\" transform=\"translate(16 %d) rotate(-90)\">%s</text>\n", middle, escape(short(p.label, 30)))
}

// path goes through the least and the greatest value of every bin, first through the
// one that is nearer to where it came from; it breaks off where there is none.
func (p panel) path(b *strings.Builder, class string, c *Chart, of func(*bin) extent) {
	fmt.Fprintf(b, "<path class=\"%s\" d=\"", class)
	pen, last := byte('M'), 0.0
	for i := range c.bins {
		e := of(&c.bins[i])
		if !e.some {
			pen = 'M'
			continue
		}
		x := across(min(int64(i)*c.stride+(c.stride-1)/2, p.rows-1), p.rows)
		from, to := e.low, e.high
		if math.Abs(last-to) < math.Abs(last-from) {
			from, to = to, from
		}
		fmt.Fprintf(b, "%c%s %s", pen, x, p.y(from))
		if from != to {
			fmt.Fprintf(b, "V%s", p.y(to))
		} else if pen == 'M' {
			b.WriteString("h.1") // so that a lonely point is seen
		}
		pen, last = 'L', to
	}
	b.WriteString("\"/>\n")
}

// ticks are at most n+1 round numbers from low to high.
func ticks(low, high float64, n int) []float64 {
	if !(high > low) {
		return []float64{low}
	}
	step := math.Pow(10, math.Floor(math.Log10((high-low)/float64(n))))
	for _, f := range [...]float64{1, 2, 5, 10} {
		if (high-low)/(step*f) <= float64(n) {
			step *= f
			break
		}
	}
	var all []float64
	for i := range n + 2 {
		v := (math.Ceil(low/step) + float64(i)) * step
		if v > high || !(math.Abs(v) < math.MaxFloat64) {
			break
		}
		all = append(all, v)
	}
	return all
}

// escape is s as XML text.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}
