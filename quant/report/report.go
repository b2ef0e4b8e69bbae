// Package report explains what quantization did to a network: what was gained in
// size and instructions, what was lost in accuracy, in which layers, and why.
//
// Make measures a float network and the integer file that was made of it on
// samples; Report.WriteHTML writes one self-contained page for people, which asks
// for nothing over the network and runs no script, Report.WriteJSON the same
// fields for programs:
//
//	r, err := report.Make(ctx, report.Source{Float: g, FloatFile: a, IntegerFile: b, Set: s}, report.Options{})
//	...
//	err = r.WriteHTML(w)
//
// The same source gives the same bytes: a report holds no date and does not
// depend on the number of cores. Calls may run concurrently.
package report

import (
	"context"
	"errors"
	"fmt"
	"math"

	"kedge/quant/calib"
	"kedge/quant/eval"
	"kedge/quant/graph"
)

// ErrSource: there is nothing to report on.
var ErrSource = errors.New("report: incomplete source")

// Source is what a report is about.
type Source struct {
	FloatName, IntegerName, DataName string // as the page is to call them

	Float       *graph.Graph // the float network, simplified as it was for quantization; passed Infer
	FloatFile   []byte       // the file that it was read from
	IntegerFile []byte       // .tflite
	Set         *eval.Set    // samples as Float takes them
	Labels      []int        // their classes, or nil

	// Statistics are those that the ranges were found with. Without them Make
	// collects its own on Set, and says nothing of the number of calibration
	// samples.
	Statistics *calib.Statistics
	Notes      []string // what else the reader has to know, such as warnings
}

// Options say how much is measured. The zero value is right for most networks.
type Options struct {
	// SensitivitySamples bounds the samples for which single layers are kept in
	// float; 0 means 32, negative none: then no layer has a Sensitivity.
	SensitivitySamples int
	Progress           func(step string) func(done, total int) // gives the function to report a step to; may be nil
}

func (o Options) progress(step string) func(done, total int) {
	if o.Progress == nil {
		return nil
	}
	return o.Progress(step)
}

// Report is the result. What was not measured, or is infinite because nothing
// differs, is nil.
type Report struct {
	Before  Side     `json:"before"`
	After   Side     `json:"after"`
	Data    string   `json:"data"`
	Samples int      `json:"samples"`
	Notes   []string `json:"notes"`

	LogitSQNR *float64 `json:"logit_sqnr_db"` // of what goes into the final SOFTMAX or LOGISTIC
	Agreement *float64 `json:"agreement"`     // share of equal answers

	// Baseline is the logits' ratio on SensitivitySamples samples when the float
	// network is quantized with the file's activation parameters, which every
	// Layer.Sensitivity is compared with.
	Baseline           *float64 `json:"sensitivity_baseline_db"`
	SensitivitySamples int      `json:"sensitivity_samples"`

	Layers []Layer `json:"layers"` // in the float network's order of execution
	Losses []Loss  `json:"losses"` // the worst layers, worst first
	Boards []Board `json:"boards"`
}

// Make measures and explains. Errors match ErrSource or are those of the packages
// that measure.
func Make(ctx context.Context, s Source, o Options) (*Report, error) {
	if s.Float == nil || s.Set == nil || len(s.IntegerFile) == 0 {
		return nil, fmt.Errorf("%w: want a float network, an integer file and samples", ErrSource)
	}
	m := &making{Source: s, options: o, report: &Report{
		Data: s.DataName, Samples: s.Set.Count, Notes: append(append([]string{}, s.Set.Notes...), s.Notes...),
	}}
	for _, step := range []func(context.Context) error{m.open, m.compare, m.collect, m.layers, m.sensitivity} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	m.boards()
	m.losses()
	return m.report, nil
}

// making is one Make at work.
type making struct {
	Source
	options     Options
	report      *Report
	integer     *graph.Graph
	reference   eval.Model
	device      eval.Model
	partner     []int            // by node of Float: the node of integer that computes the same, −1 for none
	ownSamples  bool             // Statistics are those of the calibration
	layerOfNode map[int]int      // of Float
	sqnr        map[int]*float64 // by tensor of Float
}

func (m *making) open(context.Context) (err error) {
	if m.reference, err = eval.Float(m.Float); err != nil {
		return err
	}
	if m.device, err = eval.Device(m.IntegerFile); err != nil {
		return err
	}
	if m.integer, err = graph.FromTFLite(m.IntegerFile); err != nil {
		return err
	}
	m.partner = partners(m.Float, m.integer)
	if m.report.Before, err = newSide(m.FloatName, m.FloatFile, m.Float); err != nil {
		return err
	}
	m.report.After, err = newSide(m.IntegerName, m.IntegerFile, m.integer)
	return err
}

// compare measures both on all samples.
func (m *making) compare(ctx context.Context) error {
	c, err := eval.Compare(ctx, m.reference, m.device, m.Set, m.Labels, eval.Options{Progress: m.options.progress("comparing")})
	if err != nil {
		return err
	}
	m.report.LogitSQNR, m.report.Agreement = finite(c.Logits), finite(c.Agreement)
	m.report.Before.result(c.Reference)
	m.report.After.result(c.Candidate)
	m.sqnr = map[int]*float64{}
	for _, l := range c.Layers {
		m.sqnr[l.Reference] = finite(l.SQNR)
	}
	return nil
}

// collect watches the float network's activations, unless that was done.
func (m *making) collect(ctx context.Context) (err error) {
	if m.ownSamples = m.Statistics != nil; !m.ownSamples {
		m.Statistics, err = calib.Collect(ctx, m.Float, m.Set.Values(), calib.Options{Progress: m.options.progress("watching activations")})
	}
	return err
}

// finite is a number for JSON, which knows no infinity and no NaN.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
