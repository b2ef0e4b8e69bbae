package report

import (
	"fmt"
	"math"
)

// Drawings are laid out here in the units of their viewBox; the page only puts
// rectangles and texts in their places.

// chart has a bar for every layer.
type chart struct {
	Width, Height int
	Bars          []bar
	Lines         []line // of the scale
	Labels        []line // of the layers, on the axis below
}

type bar struct {
	X, Y, Width, Height string
	Class, Title        string
}

type line struct {
	X, Y int
	Text string
}

// Sizes of a chart.
const (
	chartWidth  = 720
	chartHeight = 220
	chartLeft   = 42
	chartTop    = 10
	chartBottom = 24
)

// sqnrChart shows the ratio of every layer's result.
func (r *Report) sqnrChart() chart {
	return r.chart(func(l *Layer) *float64 { return l.SQNR }, " dB")
}

// gainChart shows what every layer costs the logits.
func (r *Report) gainChart() chart {
	return r.chart(func(l *Layer) *float64 { return l.Gain }, " dB above the baseline")
}

func (r *Report) chart(value func(*Layer) *float64, unit string) chart {
	c := chart{Width: chartWidth, Height: chartHeight}
	lo, hi := 0.0, 1.0
	for i := range r.Layers {
		if v := value(&r.Layers[i]); v != nil {
			lo, hi = min(lo, *v), max(hi, *v)
		}
	}
	step := roundStep((hi - lo) / 5)
	lo, hi = math.Floor(lo/step)*step, math.Ceil(hi/step)*step
	room := float64(chartHeight - chartTop - chartBottom)
	y := func(v float64) float64 { return chartTop + room*(hi-v)/(hi-lo) }
	for i := 0; lo+float64(i)*step <= hi+step/2; i++ {
		v := lo + float64(i)*step
		c.Lines = append(c.Lines, line{chartLeft, int(math.Round(y(v))), fmt.Sprintf("%.4g", v)})
	}
	pitch := float64(chartWidth-chartLeft) / float64(max(len(r.Layers), 1))
	every := max(1, int(math.Ceil(22/pitch))) // labels need that room
	for i := range r.Layers {
		l, x := &r.Layers[i], chartLeft+pitch*float64(i)
		if i%every == 0 {
			c.Labels = append(c.Labels, line{int(x + pitch/2), chartHeight - 8, fmt.Sprint(i + 1)})
		}
		if v := value(l); v != nil {
			top, bottom := y(max(*v, 0)), y(min(*v, 0))
			c.Bars = append(c.Bars, bar{
				coordinate(x + pitch*0.12), coordinate(top), coordinate(pitch * 0.76), coordinate(max(bottom-top, 1)),
				r.barClass(i), fmt.Sprintf("%d %s %s: %.2f%s", i+1, l.Operator, l.Name, *v, unit),
			})
		}
	}
	return c
}

// barClass marks the layers that are explained.
func (r *Report) barClass(layer int) string {
	for _, l := range r.Losses {
		if l.Layer == layer {
			return "bad"
		}
	}
	return "bar"
}

// roundStep is the next of 1, 2 and 5 times a power of ten.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*power {
			return m * power
		}
	}
	return 10 * power
}

func coordinate(v float64) string { return fmt.Sprintf("%.1f", v) }

// histogram is a layer's distribution and the range that its integers cover.
type histogram struct {
	Bars       []bar
	Covered    bool
	From, Wide string // of the covered part
}

// Sizes of the small drawings.
const (
	smallWidth  = 320
	smallHeight = 90
)

// drawHistogram shows counts on a logarithmic scale: what matters to a range is rare.
func drawHistogram(l Layer) histogram {
	h := histogram{}
	most := uint64(0)
	for _, n := range l.Histogram {
		most = max(most, n)
	}
	if most == 0 {
		return h
	}
	pitch := float64(smallWidth) / float64(len(l.Histogram))
	for i, n := range l.Histogram {
		if n > 0 {
			height := smallHeight * math.Log1p(float64(n)) / math.Log1p(float64(most))
			h.Bars = append(h.Bars, bar{X: coordinate(pitch * float64(i)), Y: coordinate(smallHeight - height),
				Width: coordinate(pitch * 0.9), Height: coordinate(height)})
		}
	}
	if l.QuantMin != nil {
		x := func(v float64) float64 {
			return smallWidth * min(max((v-l.HistMin)/(l.HistMax-l.HistMin), 0), 1)
		}
		h.Covered, h.From, h.Wide = true, coordinate(x(*l.QuantMin)), coordinate(x(*l.QuantMax)-x(*l.QuantMin))
	}
	return h
}

// mostChannels is how many channels are drawn one by one; of more, neighbors share a bar.
const mostChannels = 96

// drawChannels shows every output channel's greatest weight beside the widest.
func drawChannels(w *Weights) []bar {
	widest := float32(0)
	for _, r := range w.Ranges {
		widest = max(widest, r)
	}
	if widest == 0 {
		return nil
	}
	n := min(len(w.Ranges), mostChannels)
	pitch := float64(smallWidth) / float64(n)
	heights := make([]float32, n)
	for i, r := range w.Ranges {
		at := i * n / len(w.Ranges)
		heights[at] = max(heights[at], r)
	}
	bars := make([]bar, n)
	for i, r := range heights {
		height := smallHeight * float64(r/widest)
		bars[i] = bar{X: coordinate(pitch * float64(i)), Y: coordinate(smallHeight - height), Width: coordinate(pitch * 0.86), Height: coordinate(height)}
	}
	return bars
}
