package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"kedge/cmd/internal/cli"
	"kedge/quant/calib"
	"kedge/quant/emit"
	"kedge/quant/eval"
	"kedge/quant/graph"
	"kedge/quant/ptq"
)

// methodAuto tries the methods that there are.
const methodAuto = "auto"

// candidate is one way to quantize.
type candidate struct {
	method  calib.Method
	correct bool // also corrects biases
}

func (c candidate) String() string {
	name := strings.Replace(c.method.String(), "ema", "moving-average", 1)
	if c.correct {
		name += " with bias correction"
	}
	return name
}

// candidates lists what --method asks for.
func candidates(method string) ([]candidate, error) {
	if method != methodAuto {
		m, err := calib.ParseMethod(strings.Replace(method, "moving-average", "ema", 1))
		return []candidate{{m, false}}, err
	}
	var all []candidate
	for _, m := range []calib.Method{
		calib.MinMax(), calib.Percentile(calib.DefaultPercentile), calib.MSE(), calib.Entropy(), calib.MovingAverage(calib.DefaultDecay),
	} {
		all = append(all, candidate{m, false}, candidate{m, true})
	}
	return all, nil
}

// calibrated is a float network with what is known of its activations.
type calibrated struct {
	graph      *graph.Graph
	options    ptq.Options
	emit       emit.Options
	set        *eval.Set         // this and what follows: nil without samples
	statistics *calib.Statistics //
	recording  *eval.Recording   // of the float network on set
}

// made is a quantized network.
type made struct {
	file  []byte
	by    string // the method
	score eval.Score
	tried []triedReport
}

// choose quantizes in the ways that --method asks for and returns the one whose
// logits are nearest to the float network's on the calibration samples, of
// equals the first.
func (q *quantize) choose(ctx context.Context, path string, c *calibrated) (*made, error) {
	if c.set == nil {
		file, err := c.quantize(candidate{})
		return &made{file: file, by: "as in " + q.like, score: eval.Score{Logits: math.NaN(), Agreement: math.NaN()}}, quantizeError(path, err)
	}
	list, err := candidates(q.method)
	if err != nil {
		return nil, err
	}
	if len(q.options.Given) > 0 && q.method == methodAuto {
		list = list[:1] // only what is not given is left to choose
	}
	var best *made
	var tried []triedReport
	for i, way := range list {
		if step := q.progress.step("comparing methods"); step != nil {
			step(i, len(list))
		}
		m, err := c.try(ctx, way)
		if err != nil {
			return nil, quantizeError(path, err)
		}
		tried = append(tried, triedReport{m.by, finite(m.score.Logits), finite(m.score.Agreement)})
		if best == nil || m.score.Logits > best.score.Logits {
			best = m
		}
	}
	best.tried = tried
	return best, nil
}

// try quantizes in one way and measures the result.
func (c *calibrated) try(ctx context.Context, way candidate) (*made, error) {
	file, err := c.quantize(way)
	if err != nil {
		return nil, err
	}
	device, err := eval.Device(file)
	if err != nil {
		return nil, err
	}
	score, err := c.recording.Compare(ctx, device, eval.Options{})
	return &made{file: file, by: way.String(), score: score}, err
}

// quantize writes the network in one way.
func (c *calibrated) quantize(way candidate) ([]byte, error) {
	var ranges calib.Ranges
	var err error
	if c.statistics != nil {
		if ranges, err = c.statistics.Ranges(way.method); err != nil {
			return nil, err
		}
	}
	g, err := ptq.Quantize(c.graph, ranges, c.options)
	if err != nil {
		return nil, err
	}
	if way.correct {
		if g, err = ptq.CorrectBias(c.graph, g, c.statistics); err != nil {
			return nil, err
		}
	}
	return emit.ModelWith(g, c.emit)
}

func quantizeError(path string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ptq.ErrRange):
		return cli.WithHint(fmt.Errorf("%s: %w", path, err), "give --calibration samples for which the activation takes usable values")
	}
	return importError(path, err)
}
