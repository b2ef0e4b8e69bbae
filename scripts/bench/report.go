package main

import (
	"fmt"
	goruntime "runtime"
	"strings"
	"time"

	"kedge/boards"
	"kedge/runtime/kernel"
)

// report is all that docs/bench.md says.
type report struct {
	models    []result
	generated bool
	peer      bool
	rounds    int
}

func (r *report) text() string {
	var b strings.Builder
	b.WriteString("# Measured speed\n\n`make bench` writes this file, with ONNX Runtime's times `make bench-peers`. One thread; µs.\n\n")
	r.machine(&b)
	if r.generated {
		b.WriteString("\nThe reference models are not beside this checkout: these are generated ones, whose weights\nare a pattern.\n")
	}
	r.times(&b)
	if r.peer {
		r.ratios(&b)
	}
	r.slow(&b)
	r.moves(&b)
	return b.String()
}

func (r *report) machine(b *strings.Builder) {
	board := boards.Detect("/")
	cpu := strings.Join(board.CPUs, ", ")
	if cpu == "" {
		cpu = "unknown processor"
	}
	fmt.Fprintf(b, "- %s, %s: %s, %d cores\n", time.Now().Format(time.DateOnly), known(board.Model), cpu, board.Cores)
	fmt.Fprintf(b, "- %s %s/%s, kernel sets %s\n", goruntime.Version(), goruntime.GOOS, goruntime.GOARCH, strings.Join(kernel.Sets(), ", "))
	for i, set := range r.models[0].sets {
		if peak := r.peak(i); peak > 0 {
			fmt.Fprintf(b, "- peak of %s: %.0f GMAC/s, multiplying and accumulating on registers alone\n", set.name, peak/1e3)
		} else {
			fmt.Fprintf(b, "- peak of %s: not measured, it has no loop for that\n", set.name)
		}
	}
	fmt.Fprintf(b, "- %d turns of %v for each, alternating; shortest time of all, median of the turns' medians and the range of 80 %% of them;\n  the share is of the peak in the same turns\n", r.rounds, turn)
}

func known(name string) string {
	if name == "" {
		return "a machine without a name"
	}
	return name
}

// peak is the best that the loop of the set reached beside any model.
func (r *report) peak(set int) float64 {
	best := 0.0
	for _, m := range r.models {
		best = max(best, m.sets[set].peak)
	}
	return best
}

func (r *report) times(b *strings.Builder) {
	b.WriteString("\n| model | kernels | MACs | shortest | median | 80 % | GMAC/s | of peak |\n|---|---|---:|---:|---:|---:|---:|---:|\n")
	for _, m := range r.models {
		for _, set := range m.sets {
			low, middle, high := set.runs.median()
			rate := float64(m.macs) / set.runs.shortest()
			share := "-"
			if set.peak > 0 {
				share = fmt.Sprintf("%.0f %%", 100*rate/set.peak)
			}
			fmt.Fprintf(b, "| %s | %s | %d | %.1f | %.1f | %.1f–%.1f | %.1f | %s |\n",
				m.model, set.name, m.macs, set.runs.shortest(), middle, low, high, rate/1e3, share)
		}
	}
}

func (r *report) ratios(b *strings.Builder) {
	b.WriteString("\nONNX Runtime 1.30.0, CPU provider, uint8 QDQ models of the same networks, taking turns with ours:\n\n" +
		"| model | kernels | ours, shortest | ONNX Runtime, shortest | ratio | ratio of medians | 80 % of the turns |\n|---|---|---:|---:|---:|---:|---:|\n")
	for _, m := range r.models {
		for _, set := range m.sets {
			if len(m.peer) == 0 {
				continue
			}
			ours, theirs := set.runs.shortest(), m.peer.shortest()
			low, middle, high := set.runs.ratio(m.peer)
			fmt.Fprintf(b, "| %s | %s | %.1f | %.1f | %.2f | %.2f | %.2f–%.2f |\n",
				m.model, set.name, ours, theirs, ours/theirs, middle, low, high)
		}
	}
}

// slow lists for the best kernel set what stays far from the peak.
func (r *report) slow(b *strings.Builder) {
	if r.peak(0) == 0 {
		return
	}
	fmt.Fprintf(b, "\nOperators that multiply at less than %.0f %% of the peak of %s, and why. A depthwise convolution or a single row\n"+
		"cannot be faster than the bytes come to the products; what share of the peak that allows is measured by copying as many:\n\n",
		100*lowShare, r.models[0].sets[0].name)
	b.WriteString("| model | operator | output | kernel | MACs | shortest | of the model's time | why |\n|---|---|---|---|---:|---:|---:|---|\n")
	for _, m := range r.models {
		set := m.sets[0]
		for _, o := range set.slow {
			fmt.Fprintf(b, "| %s | %d %s | %v | %s | %d | %.2f | %.1f %% | %s |\n",
				m.model, o.Index, o.Name, o.Shape, o.Kernel, *o.MACs, o.us, 100*o.us/set.runs.shortest(), set.reason(&o))
		}
	}
}

// moves lists for the best kernel set what takes long without multiplying.
func (r *report) moves(b *strings.Builder) {
	fmt.Fprintf(b, "\nOperators without multiplications that take more than %.0f %% of a model's time with %s:\n\n",
		100*idleShare, r.models[0].sets[0].name)
	b.WriteString("| model | operator | output | kernel | bytes read and written | shortest | of the model's time | bytes per ns |\n|---|---|---|---|---:|---:|---:|---:|\n")
	for _, m := range r.models {
		set := m.sets[0]
		for _, o := range set.moving {
			fmt.Fprintf(b, "| %s | %d %s | %v | %s | %d | %.2f | %.1f %% | %.1f |\n",
				m.model, o.Index, o.Name, o.Shape, o.Kernel, o.bytes(), o.us, 100*o.us/set.runs.shortest(), float64(o.bytes())/1e3/o.us)
		}
	}
}
