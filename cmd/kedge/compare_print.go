package main

import (
	"fmt"
	"io"
	"strings"
)

// print writes the report for people.
func (r *compareReport) print(w io.Writer) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-8s  %s\n", name, fmt.Sprintf(format, args...))
	}
	line("model", "%s: %d bytes, sha256 %.16s, %d MACs", r.Model, r.Bytes, r.SHA256, r.MACs)
	line("board", "%s: %s, %d cores, %s", orUnknown(r.Board.Model), orUnknown(strings.Join(r.Board.CPUs, " + ")), r.Board.Cores, strings.TrimSpace("Linux "+r.Linux))
	line("kedge", "%s %s %s/%s, kernels %s, threads %d", r.Kedge.Version, r.Kedge.Go, r.Kedge.OS, r.Kedge.Arch, r.Kedge.Kernels, r.Ours.Threads)
	line("", "median %.1f us, min %.1f over %d inferences", r.Ours.Median, r.Ours.Min, r.Ours.N)
	if r.Again != nil {
		line("", "median %.1f us, min %.1f again after LiteRT", r.Again.Median, r.Again.Min)
	}
	r.printPeer(line)
	line("before", "%s", r.Before.text())
	line("after", "%s", r.After.text())
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *compareReport) printPeer(line func(name, format string, args ...any)) {
	if r.Failed != "" {
		line("litert", "failed: %s", r.Failed)
		return
	}
	if r.Peer == nil {
		line("litert", "not found: %s", strings.Join(r.Absent, "; "))
		return
	}
	median := "median"
	if r.Peer.Mean {
		median = "mean"
	}
	line("litert", "%s, threads %d", r.Peer.Program, r.Peer.Threads)
	line("", "%s %.1f us, min %.1f", median, r.Peer.Median, r.Peer.Min)
	line("ratio", "kedge takes %.2f of LiteRT's shortest time", min(r.Ours.Min, r.Again.Min)/r.Peer.Min)
	switch d := r.Peer.Results; {
	case d == nil:
		line("bytes", "not compared: %s gives times only", r.Peer.Program)
	case d.Differ == 0:
		line("bytes", "all %d bytes of %d random samples are the same", d.Bytes, sampleCount)
	default:
		line("bytes", "%d of %d bytes of %d random samples differ; 8-bit values by at most %d", d.Differ, d.Bytes, sampleCount, d.Most)
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// text is the state in one line.
func (s *boardState) text() string {
	var parts []string
	for _, z := range s.Zones {
		parts = append(parts, fmt.Sprintf("%s %.1f C", orUnknown(z.Name), z.Celsius))
	}
	for _, c := range s.Clocks {
		parts = append(parts, fmt.Sprintf("%s %d of %d MHz (%s, limit %d)", c.Name, c.Now/1000, c.Max/1000, orUnknown(c.Governor), c.Limit/1000))
	}
	for _, c := range s.Throttle {
		parts = append(parts, fmt.Sprintf("%s at step %d", c.Name, c.Value))
	}
	if s.Firmware != "" {
		parts = append(parts, "vcgencmd "+s.Firmware)
	}
	if len(parts) == 0 {
		return "no temperatures, clocks or throttling to read here"
	}
	if s.throttled() {
		return "THROTTLED: " + strings.Join(parts, ", ")
	}
	return "not throttled: " + strings.Join(parts, ", ")
}
