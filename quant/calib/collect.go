package calib

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"kedge/quant/graph"
)

// Options say how to collect. The zero value works.
type Options struct {
	// Workers run samples side by side, each with activations of its own; 0 is one
	// for each processor.
	Workers int
	// Progress is called now and then with how much of the total work is done; nil
	// for nobody. Calls do not overlap.
	Progress func(done, total int)
}

// Collect runs every sample through g twice: to find each activation's extremes,
// then to count its values in bins between them. inputs[i] holds all samples of
// graph input i, one after the other, each of that input's declared size.
// Errors match ErrSamples (naming the first sample that is at fault), package
// graph's, or are the context's.
func Collect(ctx context.Context, g *graph.Graph, inputs [][]float32, o Options) (*Statistics, error) {
	feed, err := newFeed(g, inputs)
	if err != nil {
		return nil, err
	}
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	r := &run{g: g, feed: feed, options: o, total: 2 * feed.samples}
	s := newStatistics(g, feed.samples)
	if err := pass(ctx, r, func() *extremes { return newExtremes(s) }, s.takeExtremes); err != nil {
		return nil, err
	}
	s.layBins()
	if err := pass(ctx, r, func() *counts { return newCounts(s) }, s.takeCounts); err != nil {
		return nil, err
	}
	return s, nil
}

// feed cuts the inputs into samples.
type feed struct {
	inputs  [][]float32
	sizes   []int
	samples int
}

func newFeed(g *graph.Graph, inputs [][]float32) (feed, error) {
	if len(inputs) != len(g.Inputs) {
		return feed{}, fmt.Errorf("%w: values for %d inputs, the graph has %d", ErrSamples, len(inputs), len(g.Inputs))
	}
	f := feed{inputs: inputs, sizes: make([]int, len(inputs))}
	for i, x := range inputs {
		t := g.Tensor(g.Inputs[i])
		size, _ := t.Shape.Elements()
		switch {
		case len(x) == 0:
			return f, fmt.Errorf("%w: no samples of input %q; give at least one, better 100", ErrSamples, t.Name)
		case size == 0 || len(x)%size != 0:
			return f, fmt.Errorf("%w: %d values of input %q do not divide into samples of %d (shape %v)", ErrSamples, len(x), t.Name, size, t.Shape)
		}
		f.sizes[i] = size
		if n := len(x) / size; i == 0 {
			f.samples = n
		} else if n != f.samples {
			return f, fmt.Errorf("%w: %d samples of input %q, %d of input %q", ErrSamples, n, t.Name, f.samples, g.Tensor(g.Inputs[0]).Name)
		}
	}
	return f, nil
}

// sample sets rows to the values of sample s.
func (f *feed) sample(s int, rows [][]float32) {
	for i, size := range f.sizes {
		rows[i] = f.inputs[i][s*size : (s+1)*size]
	}
}

// run is what the passes have in common.
type run struct {
	g       *graph.Graph
	feed    feed
	options Options
	total   int
	mu      sync.Mutex
	done    int
}

func (r *run) step() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if r.options.Progress != nil {
		r.options.Progress(r.done, r.total)
	}
}

// collector takes in one pass's share of samples.
type collector interface {
	observe(sample int, id graph.TensorID, values []float32) error
}

// sampleError is what went wrong with one sample.
type sampleError struct {
	sample int
	err    error
}

// pass runs all samples, each worker with a collector of its own, and hands the
// collectors to merge. What they hold must not depend on which worker saw which
// sample. Samples are given out in order and those under way are finished, so that
// the first sample at fault is always the one reported.
func pass[C collector](ctx context.Context, r *run, fresh func() C, merge func(C)) error {
	var (
		next     atomic.Int64
		stop     atomic.Bool
		wg       sync.WaitGroup
		failures = make([]sampleError, min(r.options.Workers, r.feed.samples))
		shares   = make([]C, len(failures))
	)
	for w := range failures {
		shares[w] = fresh()
		failures[w].sample = r.feed.samples
		wg.Go(func() {
			failures[w] = r.work(ctx, shares[w], &next, &stop)
		})
	}
	wg.Wait()
	first := sampleError{sample: r.feed.samples + 1}
	for _, f := range failures {
		if f.err != nil && f.sample < first.sample {
			first = f
		}
	}
	if first.err != nil {
		return first.err
	}
	for _, c := range shares {
		merge(c)
	}
	return nil
}

// work runs samples until there are no more or one fails.
func (r *run) work(ctx context.Context, c collector, next *atomic.Int64, stop *atomic.Bool) sampleError {
	fail := func(sample int, err error) sampleError {
		stop.Store(true)
		return sampleError{sample, err}
	}
	e, err := graph.NewExecutor(r.g)
	if err != nil {
		return fail(-1, err)
	}
	rows := make([][]float32, len(r.feed.sizes))
	for !stop.Load() {
		sample := int(next.Add(1)) - 1
		if sample >= r.feed.samples {
			break
		}
		if err := ctx.Err(); err != nil {
			return fail(sample, fmt.Errorf("calibration stopped: %w", err))
		}
		r.feed.sample(sample, rows)
		var found error
		observe := func(id graph.TensorID, values []float32) {
			if err := c.observe(sample, id, values); err != nil && found == nil {
				found = fmt.Errorf("sample %d: tensor %d %q: %w", sample, id, r.g.Tensor(id).Name, err)
			}
		}
		if _, err := e.Run(rows, observe); err != nil {
			return fail(sample, err)
		}
		if found != nil {
			return fail(sample, found)
		}
		r.step()
	}
	return sampleError{}
}
