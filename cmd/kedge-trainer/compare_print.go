package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// print writes the comparison for people.
func (r *compareReport) print(w io.Writer) error {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name, a, b string) { fmt.Fprintf(tw, "%s\t%s\t%s\n", name, a, b) }
	row("", "A", "B")
	row("model", r.A.Model, r.B.Model)
	row("form", string(r.A.Format)+", "+r.A.Arithmetic, string(r.B.Format)+", "+r.B.Arithmetic)
	row("bytes", strconv.Itoa(r.A.Bytes), strconv.Itoa(r.B.Bytes))
	row("weights", knownOr(r.A.Weights), knownOr(r.B.Weights))
	row("of them zero", percent(r.A.Zeros, r.A.Weights), percent(r.B.Zeros, r.B.Weights))
	row("MACs", knownOr(r.A.MACs), knownOr(r.B.MACs))
	row("arena", knownOr(r.A.ArenaBytes), knownOr(r.B.ArenaBytes))
	for _, name := range operatorNames(r.A, r.B) {
		row(name, strconv.Itoa(r.A.count(name)), strconv.Itoa(r.B.count(name)))
	}
	if c := r.Results; c != nil {
		a, b := c.A.lines(), c.B.lines()
		for i := range min(len(a), len(b)) {
			name, left, _ := strings.Cut(a[i], ": ")
			_, right, _ := strings.Cut(b[i], ": ")
			row(name, left, right)
		}
	}
	tw.Flush()
	r.Results.print(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *comparedReport) print(b *strings.Builder) {
	if c == nil {
		return
	}
	fmt.Fprintf(b, "\non %s of %s\n", counted(c.Samples, "sample"), c.Data)
	for _, note := range c.Notes {
		fmt.Fprintf(b, "%s\n", note)
	}
	fmt.Fprintf(b, "logit SQNR: %s\n", sqnrText(c.LogitSQNR))
	if c.Agreement != nil {
		fmt.Fprintf(b, "agreement: %.2f %%\n", 100**c.Agreement)
	}
	if len(c.Layers) == 0 {
		b.WriteString("no tensors of the same name\n")
		return
	}
	b.WriteString("\n")
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "SQNR\ttensor\n")
	for _, l := range c.Layers {
		fmt.Fprintf(tw, "%s\t%s\n", sqnrText(l.SQNR), l.Name)
	}
	tw.Flush()
}

// operatorNames lists the operators of both models in order.
func operatorNames(a, b *description) []string {
	var names []string
	for _, c := range slices.Concat(a.Counts, b.Counts) {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (d *description) count(name string) int {
	for _, c := range d.Counts {
		if c.Name == name {
			return c.Count
		}
	}
	return 0
}
