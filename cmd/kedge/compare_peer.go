package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peerResult is what LiteRT gave.
type peerResult struct {
	Program string  `json:"program"` // and its version
	Threads int     `json:"threads"` // that it was allowed
	Min     float64 `json:"us_min"`
	// Median is of all times; benchmark_model prints no median, then it is their
	// mean.
	Median float64 `json:"us_median"`
	Mean   bool    `json:"median_is_mean"`
	// Results is nil where the program gives times only.
	Results *difference `json:"results"`
}

// peer is what LiteRT is run with.
type peer struct {
	model, dir string // absolute; dir is for files that only this run uses
	samples    *samples
	n, threads int
	timeout    time.Duration
}

// run looks for LiteRT and runs it. Without one the result is nil, and absent
// says where it was not.
func (p *peer) run(ctx context.Context) (r *peerResult, absent []string, err error) {
	r, absent, err = p.python(ctx)
	if r != nil || err != nil {
		return r, absent, err
	}
	if _, err := exec.LookPath("benchmark_model"); err != nil {
		return nil, append(absent, "no benchmark_model in PATH"), nil
	}
	r, err = p.benchmarkModel(ctx)
	return r, absent, err
}

//go:embed compare_litert.py
var pythonProgram string

func (p *peer) python(ctx context.Context) (*peerResult, []string, error) {
	if _, err := exec.LookPath("python3"); err != nil {
		return nil, []string{"no python3 in PATH"}, nil
	}
	inputs, outputs := filepath.Join(p.dir, "inputs"), filepath.Join(p.dir, "outputs")
	if err := os.WriteFile(inputs, p.samples.inputs, 0o600); err != nil {
		return nil, nil, err
	}
	out, err := runChild(ctx, p.timeout, "python3", "-c", pythonProgram, p.model, inputs, outputs,
		strconv.Itoa(sampleCount), strconv.Itoa(p.n), strconv.Itoa(p.threads))
	if err != nil {
		return nil, nil, err
	}
	var answer struct {
		peerResult
		Absent []string `json:"absent"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, nil, fmt.Errorf("python3: answer %.200q: %w", out, err)
	}
	if answer.Absent != nil {
		return nil, []string{"python3: " + strings.Join(answer.Absent, ", ")}, nil
	}
	if answer.Median <= 0 {
		return nil, nil, fmt.Errorf("python3: answer %.200q: no times", out)
	}
	results, err := os.ReadFile(outputs)
	if err != nil {
		return nil, nil, err
	}
	d, err := p.samples.differ(results)
	if err != nil {
		return nil, nil, fmt.Errorf("python3: %w", err)
	}
	answer.Results, answer.Threads = &d, p.threads
	return &answer.peerResult, nil, nil
}

// timesLine is how benchmark_model sums up its timed runs: the shortest and the
// mean time, in µs, of the last line of its output of the form
// "count=50 first=… curr=… min=… max=… avg=… std=…". found says whether there is one.
func timesLine(out []byte) (least, mean string, found bool) {
	for line := range strings.Lines(string(out)) {
		values := map[string]string{}
		for _, word := range strings.Fields(line) {
			if name, value, ok := strings.Cut(word, "="); ok {
				values[name] = value
			}
		}
		if values["count"] != "" && values["min"] != "" && values["avg"] != "" {
			least, mean, found = values["min"], values["avg"], true
		}
	}
	return least, mean, found
}

func (p *peer) benchmarkModel(ctx context.Context) (*peerResult, error) {
	// It takes as many runs as it is told, but goes on for a second otherwise.
	out, err := runChild(ctx, p.timeout, "benchmark_model", "--graph="+p.model, "--num_threads="+strconv.Itoa(p.threads),
		"--warmup_runs=10", "--warmup_min_secs=0", "--num_runs="+strconv.Itoa(p.n), "--min_secs=0")
	if err != nil {
		return nil, err
	}
	least, mean, found := timesLine(out)
	if !found {
		return nil, fmt.Errorf("benchmark_model: no times in %.200q", out)
	}
	r := &peerResult{Program: "benchmark_model", Threads: p.threads, Mean: true}
	if r.Min, err = strconv.ParseFloat(least, 64); err == nil {
		r.Median, err = strconv.ParseFloat(mean, 64)
	}
	if err != nil || r.Median <= 0 {
		return nil, fmt.Errorf("benchmark_model: no times in min=%q, avg=%q", least, mean)
	}
	return r, nil
}

// childOutput limits what is kept of a child's output.
const childOutput = 1 << 20

// runChild runs a program for at most that time and returns its output, standard
// error included only where there is nothing else. Everything that it started
// ends with it. No shell reads the arguments.
func runChild(ctx context.Context, timeout time.Duration, name string, args ...string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(limited, name, args...)
	var stdout, stderr limitedBuffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second // for a grandchild that left the group with the pipes
	err := cmd.Run()
	switch {
	case err == nil && stdout.Len() == 0:
		return stderr.Bytes(), nil
	case err == nil:
		return stdout.Bytes(), nil
	case ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("%s: not done after %v", name, timeout)
	}
	said := strings.TrimSpace(stderr.String())
	if last := strings.LastIndexByte(said, '\n'); last >= 0 {
		said = said[last+1:] // Python's and most others' reason
	}
	if said == "" {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return nil, fmt.Errorf("%s: %w: %.500s", name, err, said)
}

// limitedBuffer forgets what is beyond its limit.
type limitedBuffer struct{ bytes.Buffer }

func (b *limitedBuffer) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), childOutput-b.Len())])
	return len(p), nil
}
