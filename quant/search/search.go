// Package search chooses how to quantize a network by what comes out: candidates
// are written as .tflite, run on package runtime as a device runs them, and
// their logits compared with the float network's.
//
// Call Run with the float graph, its statistics from package calib and a
// Recording of package eval. It tries the calibration methods on the whole
// network, with and without corrected biases, then lets every activation take
// the range of another method where that helps; with Options.Goal it then gives
// the most sensitive layers wider types until the goal is met. Sensitivity
// measures what each layer alone costs.
//
// A small set of samples is easily overfitted. A change is kept only when it
// helps on all samples and does no harm on either half of them, the even ones
// and the odd ones.
//
// Work is limited by a number of evaluations, never by time: the same inputs give
// the same result. Calls may run concurrently.
package search

import (
	"context"
	"errors"
	"fmt"

	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/ptq"
	"kedge/runtime/tensor"
)

var (
	// ErrOptions: the options contradict each other.
	ErrOptions = errors.New("search: bad options")
	// ErrBudget: no candidate keeps within the limits.
	ErrBudget = errors.New("search: over budget")
	// ErrGoal: no candidate is as near to the float network as asked for.
	ErrGoal = errors.New("search: goal not reached")
)

// Options bound and direct a search. The zero value takes what the defaults say.
type Options struct {
	PTQ  ptq.Options
	Emit emit.Options
	// Methods are the ones to try, the default ones with nil.
	Methods []calib.Method
	// Evaluations bounds how many candidates the choice for single activations
	// runs; 0 chooses by the network's cost, a negative number is none.
	Evaluations int
	// Samples bounds how many samples candidates are run on, evenly chosen of those
	// recorded; 0 chooses by the network's cost. The result is measured on all.
	Samples int
	// Goal is the logit SQNR in decibels, on the samples searched, to reach by wider
	// types; 0 for none.
	Goal float64
	// MaxBytes bounds the file's size; 0 for no limit.
	MaxBytes int
	// MaxMACs bounds the cost of one run, counted as multiplications of int8
	// operands, of which one of int16 activations costs WideCost and one of float32
	// FloatCost; 0 for no limit.
	MaxMACs int64

	Progress func(done, total int) // called after every evaluation; total is the most there can be
}

// Result is a quantized network.
type Result struct {
	Graph  *graph.Graph
	File   []byte
	Ranges calib.Ranges // of every activation
	// Method is the best for the whole network, and Corrected whether biases were
	// corrected.
	Method    calib.Method
	Corrected bool
	// Choices are the activations that took another method's range.
	Choices []Choice
	// Types are those of the nodes that got a wider one, see ptq.Options.
	Types map[int]tensor.Type
	// Tried are the whole-network candidates in the order tried.
	Tried []Try
	// Base and Final are the best of Tried and the result, on the samples searched.
	Base, Final float64
	// Score is that of the result on all samples.
	Score       eval.Score
	Evaluations int
	Samples     int // that candidates were run on
}

// Choice is what one activation, and those that share its parameters, took.
type Choice struct {
	Tensors []graph.TensorID
	Name    string // of the first
	Method  calib.Method
	Gain    float64 // in decibels
}

// Try is a candidate for the whole network, measured on the samples searched.
type Try struct {
	Method    calib.Method
	Corrected bool
	Score     eval.Score
}

// Methods are the calibration methods that Run tries.
func Methods() []calib.Method {
	return []calib.Method{
		calib.MinMax(), calib.Percentile(99.9), calib.Percentile(99.99), calib.Percentile(99.999),
		calib.MSE(), calib.Entropy(), calib.MovingAverage(calib.DefaultDecay),
	}
}

// Run searches. g is a simplified float graph that passed Infer, s what package
// calib saw of it, r what it answered on the same samples.
// Errors match ErrOptions, ErrBudget, ErrGoal or those of packages calib, ptq, emit and
// eval, or are the context's.
func Run(ctx context.Context, g *graph.Graph, s *calib.Statistics, r *eval.Recording, o Options) (*Result, error) {
	c, err := newSearch(g, s, r, o)
	if err != nil {
		return nil, err
	}
	best, err := c.methods(ctx)
	if err != nil {
		return nil, err
	}
	c.result.Method, c.result.Corrected, c.result.Base = best.method, best.corrected, best.measure.logits
	if best, err = c.descend(ctx, best); err != nil {
		return nil, err
	}
	if best, err = c.widen(ctx, best); err != nil {
		return nil, err
	}
	return c.finish(ctx, best)
}

// Apply quantizes by one method and measures the result: a Run without a search.
func Apply(ctx context.Context, g *graph.Graph, s *calib.Statistics, r *eval.Recording, m calib.Method, o Options) (*Result, error) {
	o.Methods, o.Evaluations = []calib.Method{m}, -1
	c, err := newSearch(g, s, r, o)
	if err != nil {
		return nil, err
	}
	ranges, err := s.Ranges(m)
	if err != nil {
		return nil, err
	}
	t := trial{ranges: ranges, method: m}
	if t.measure, err = c.evaluate(ctx, &t); err != nil {
		return nil, err
	}
	c.result.Method, c.result.Base = m, t.measure.logits
	c.result.Tried = []Try{{m, false, t.measure.score()}}
	return c.finish(ctx, &t)
}

// searching is one Run at work.
type searching struct {
	g         *graph.Graph
	stats     *calib.Statistics
	all       *eval.Recording
	recording *eval.Recording // the part that candidates are run on
	o         Options
	left      int // evaluations
	total     int
	result    Result
}

func newSearch(g *graph.Graph, s *calib.Statistics, r *eval.Recording, o Options) (*searching, error) {
	if o.Samples < 0 || o.MaxBytes < 0 || o.MaxMACs < 0 || !(o.Goal >= 0) {
		return nil, fmt.Errorf("%w: %d samples, %d bytes, %d MACs, a goal of %v dB; want none below 0", ErrOptions, o.Samples, o.MaxBytes, o.MaxMACs, o.Goal)
	}
	if o.Methods == nil {
		o.Methods = Methods()
	}
	if len(o.Methods) == 0 {
		return nil, fmt.Errorf("%w: no methods", ErrOptions)
	}
	c := &searching{g: g, stats: s, all: r, o: o}
	c.bound()
	return c, nil
}

// The limits that a network's cost is weighed by, in multiplications: what one
// evaluation may take, and what all may.
const (
	evaluationMACs = 8e9
	searchMACs     = 1000e9
)

// bound chooses samples and evaluations. An evaluation also quantizes, writes and
// loads the network, which costs like some multiplications for each weight.
func (c *searching) bound() {
	total, _ := c.g.Cost()
	sample := float64(max(total.MACs, 1)) * float64(c.all.Windows())
	if c.o.Samples == 0 {
		c.o.Samples = min(max(int(evaluationMACs/sample), 32), 512)
	}
	c.recording = c.all.Thin(c.o.Samples)
	c.left = c.o.Evaluations
	if c.left == 0 {
		const perWeight = 200
		if c.o.PTQ.Activations == tensor.Int16 { // the runtime is that much slower
			sample *= 20
		}
		one := sample*float64(c.recording.Samples()) + perWeight*float64(total.Weights)
		c.left = min(max(int(searchMACs/one), 24), 400)
	}
	c.left = max(c.left, 0)
	c.total = c.left + 2*len(c.o.Methods)
	c.result.Samples = c.recording.Samples()
}

// finish measures the chosen candidate on all samples.
func (c *searching) finish(ctx context.Context, t *trial) (*Result, error) {
	q, file, err := c.make(t)
	if err != nil {
		return nil, err
	}
	if c.o.MaxBytes > 0 && len(file) > c.o.MaxBytes {
		return nil, fmt.Errorf("%w: the file takes %d bytes, the limit is %d", ErrBudget, len(file), c.o.MaxBytes)
	}
	m, err := measureOn(ctx, c.all, file)
	if err != nil {
		return nil, err
	}
	c.result.Graph, c.result.File, c.result.Ranges, c.result.Types = q, file, t.ranges, t.types
	c.result.Final, c.result.Score = t.measure.logits, m.score()
	if c.o.Progress != nil {
		c.o.Progress(c.total, c.total)
	}
	return &c.result, nil
}
