package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"time"

	"kedge/cmd/internal/cli"
	"kedge/runtime"
)

func benchCommand() cli.Command {
	return cli.Command{
		Name: "bench", Args: "MODEL", Summary: "time a model's inference on this machine",
		Detail: `
Inputs are random but the same in every run. Only operators that are long enough to gain are
divided among threads; the result says how many computed.
--ops runs the inferences once more, with a look at the clock after every operator, whose own
cost is taken off.`,
		Setup: setupBench,
	}
}

// maxRuns bounds --n and --warmup: the time of each inference is kept, in 8 bytes.
const maxRuns = 10_000_000

// maxThreads is more than boards have.
const maxThreads = 256

// benchResult is what bench prints.
type benchResult struct {
	Median     float64    `json:"us_median"`
	Min        float64    `json:"us_min"`
	Max        float64    `json:"us_max"`
	Allocs     int64      `json:"allocs_per_op"`
	ArenaBytes int        `json:"arena_bytes"`
	MACs       int64      `json:"macs"`
	Kernels    string     `json:"kernels"`
	Threads    int        `json:"threads"` // that computed, not that were allowed
	N          int        `json:"n"`
	Ops        []opResult `json:"ops,omitempty"`
}

func setupBench(fs *flag.FlagSet) cli.Run {
	model := addModelFlags(fs)
	threads := fs.Int("threads", 1, "use at most `N` threads")
	n := fs.Int("n", 100, "time `N` inferences")
	warmup := fs.Int("warmup", 10, "run `N` inferences untimed before")
	ops := fs.Bool("ops", false, "time every operator too")
	asJSON := fs.Bool("json", false, "print one JSON object")
	return func(ctx context.Context, env cli.Env, args []string) error {
		for _, f := range []struct {
			name        string
			value       int
			least, most int
		}{{"threads", *threads, 1, maxThreads}, {"n", *n, 1, maxRuns}, {"warmup", *warmup, 0, maxRuns}} {
			if f.value < f.least || f.value > f.most {
				return cli.WithHint(cli.Usagef("bench: flag --%s: got %d, want %d to %d", f.name, f.value, f.least, f.most),
					"kedge bench --help shows arguments and flags")
			}
		}
		m, err := model.loadFor(args[0], *threads)
		if err != nil {
			return err
		}
		if *ops {
			if err := checkOps(m, *n); err != nil {
				return err
			}
		}
		r, err := bench(ctx, m, *n, *warmup)
		if err != nil {
			return modelError(args[0], err)
		}
		if *ops {
			if r.Ops, err = benchOps(ctx, m, *n); err != nil {
				return modelError(args[0], err)
			}
		}
		if *asJSON {
			return cli.PrintJSON(env.Stdout, r)
		}
		_, err = fmt.Fprintf(env.Stdout, "median %.1f us, min %.1f, max %.1f over %d inferences\n"+
			"%d MACs (%.2f GMAC/s), arena %d bytes, %d allocations per inference\nkernels %s, threads %d\n",
			r.Median, r.Min, r.Max, r.N, r.MACs, float64(r.MACs)/r.Median/1e3, r.ArenaBytes, r.Allocs, r.Kernels, r.Threads)
		return cmp.Or(err, printOps(env.Stdout, r.Ops))
	}
}

// bench times n inferences after warmup untimed ones.
func bench(ctx context.Context, m *runtime.Model, n, warmup int) (benchResult, error) {
	s, err := m.NewSession(runtime.SessionOptions{})
	if err != nil {
		return benchResult{}, err
	}
	samples := randomInputs(s)
	// A long run grows it as it goes: few allocations, which the count below rounds off.
	times := make([]float64, 0, min(n, 1<<16))
	var before, after goruntime.MemStats
	for i := -warmup; i < n; i++ {
		if i == 0 {
			goruntime.GC()
			goruntime.ReadMemStats(&before)
		}
		if ctx.Err() != nil {
			return benchResult{}, errors.New("bench: interrupted")
		}
		for j, sample := range samples {
			copy(s.Input(j), sample) // the last inference may have overwritten it
		}
		start := time.Now()
		if err := s.Invoke(); err != nil {
			return benchResult{}, err
		}
		if i >= 0 {
			times = append(times, float64(time.Since(start).Nanoseconds())/1e3)
		}
	}
	goruntime.ReadMemStats(&after)
	slices.Sort(times)
	return benchResult{
		Median: median(times), Min: times[0], Max: times[n-1],
		// Rounded down: the Go runtime itself may allocate once in a while.
		Allocs:     int64(after.Mallocs-before.Mallocs) / int64(n),
		ArenaBytes: m.ArenaBytes(), MACs: m.MACs(), Kernels: m.Kernels(), Threads: m.Threads(), N: n,
	}, nil
}

// median of sorted values.
func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// randomInputs is a sample that is the same in every run.
func randomInputs(s runtime.Invoker) [][]byte { return randomSample(s, rand.New(rand.NewPCG(1, 1))) }

// randomSample fills integers with any value and floats with -1 to 1.
func randomSample(s runtime.Invoker, rng *rand.Rand) [][]byte {
	samples := make([][]byte, len(s.Inputs()))
	for i, t := range s.Inputs() {
		b := make([]byte, len(s.Input(i)))
		for j := range b {
			b[j] = byte(rng.Uint32())
		}
		if t.Type == runtime.Float32 {
			for j := 0; j+4 <= len(b); j += 4 {
				binary.LittleEndian.PutUint32(b[j:], math.Float32bits(2*rng.Float32()-1))
			}
		}
		samples[i] = b
	}
	return samples
}
