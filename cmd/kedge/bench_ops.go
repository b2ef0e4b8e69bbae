package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"kedge/cmd/internal/cli"
	"kedge/runtime"
)

// opResult is one operator of bench --ops.
type opResult struct {
	Index  int     `json:"index"`
	Name   string  `json:"name"`
	Shape  []int   `json:"shape"`  // of its first output
	Kernel string  `json:"kernel"` // what computes it
	Min    float64 `json:"us_min"`
	Median float64 `json:"us_median"`
	MACs   int64   `json:"macs"`
	GMACs  float64 `json:"gmacs_per_s"` // in the shortest time
	Share  float64 `json:"share"`       // of the sum of the shortest times, 0 to 1
}

// checkOps bounds n where the times of all operators are kept.
func checkOps(m *runtime.Model, n int) error {
	ops := len(m.Operators())
	if ops == 0 || n <= maxRuns/ops {
		return nil
	}
	return cli.WithHint(cli.Usagef("bench: flag --n: got %d, want at most %d with --ops for %d operators", n, maxRuns/ops, ops),
		"the times of all operators have to fit in memory")
}

// benchOps times every operator over n inferences. Like those that bench times,
// they do not allocate.
func benchOps(ctx context.Context, m *runtime.Model, n int) ([]opResult, error) {
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		return nil, err
	}
	ops := m.Operators()
	times := make([][]float64, len(ops))
	for i := range times {
		times[i] = make([]float64, n)
	}
	samples, clock := randomInputs(s), clockCost()
	var run int
	var last time.Time
	note := func(i int) {
		times[i][run] = max(time.Since(last).Seconds()*1e6-clock, 0)
		last = time.Now()
	}
	for run = range n {
		if ctx.Err() != nil {
			return nil, errors.New("bench: interrupted")
		}
		for j, sample := range samples {
			copy(s.Input(j), sample)
		}
		last = time.Now()
		s.Trace(note)
	}
	return opResults(ops, times), nil
}

// clockCost is the time that a look at the clock takes, in µs.
func clockCost() float64 {
	shortest := time.Hour
	for range 200 {
		shortest = min(shortest, time.Since(time.Now()))
	}
	return shortest.Seconds() * 1e6
}

func opResults(ops []runtime.OpReport, times [][]float64) []opResult {
	results := make([]opResult, len(ops))
	total := 0.0
	for i, o := range ops {
		slices.Sort(times[i])
		r := opResult{Index: i, Name: o.Name, Shape: o.Shape, Kernel: o.Kernel, Min: times[i][0], Median: median(times[i]), MACs: *o.MACs}
		if r.Min > 0 {
			r.GMACs = float64(r.MACs) / r.Min / 1e3
		}
		total += r.Min
		results[i] = r
	}
	for i := range results {
		if total > 0 {
			results[i].Share = results[i].Min / total
		}
	}
	return results
}

// printOps prints the table of bench --ops; without it nothing.
func printOps(w io.Writer, ops []opResult) error {
	if len(ops) == 0 {
		return nil
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "\nop\toperator\toutput\tkernel\tmin us\tmedian us\tMACs\tGMAC/s\tshare\n")
	for _, o := range ops {
		fmt.Fprintf(tw, "%d\t%s\t%v\t%s\t%.2f\t%.2f\t%d\t%.1f\t%.1f %%\n",
			o.Index, o.Name, o.Shape, o.Kernel, o.Min, o.Median, o.MACs, o.GMACs, 100*o.Share)
	}
	return tw.Flush()
}
