package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"kedge/cmd/internal/cli"
)

// quantizeReport is what quantize prints.
type quantizeReport struct {
	Model  string `json:"model"`
	Format form   `json:"format"`
	Bytes  int    `json:"bytes"`
	prepared
	Equalized   int                `json:"equalized_pairs"` // of layers, with --equalize
	Calibration *calibrationReport `json:"calibration"`     // null without samples
	Warnings    []string           `json:"warnings"`
	Method      string             `json:"method"`
	Tried       []triedReport      `json:"tried"`
	Choices     []choiceReport     `json:"choices"` // activations that took another method's range
	Types       []typeReport       `json:"types"`   // layers that got a wider type
	Output      string             `json:"output"`
	OutputBytes int                `json:"output_bytes"`
	LogitSQNR   *float64           `json:"logit_sqnr_db"` // on the calibration samples; null where nothing differs
	Agreement   *float64           `json:"agreement"`     // with the float model, on the same; null where answers are no classes
}

type calibrationReport struct {
	File    string   `json:"file"`
	Samples int      `json:"samples"`
	Windows int      `json:"windows"` // of each sample
	Notes   []string `json:"notes"`   // what was done to the samples to make them fit
}

// triedReport is one method.
type triedReport struct {
	Method    string   `json:"method"`
	LogitSQNR *float64 `json:"logit_sqnr_db"`
	Agreement *float64 `json:"agreement"`
}

// choiceReport is an activation.
type choiceReport struct {
	Tensor string   `json:"tensor"`
	Method string   `json:"method"`
	Gain   *float64 `json:"gain_db"`
}

// typeReport is a layer.
type typeReport struct {
	Tensor string `json:"tensor"`
	Type   string `json:"type"`
}

func (r *quantizeReport) describe(n *network, p prepared, output string, m *made) {
	r.Model, r.Format, r.Bytes, r.prepared = n.path, n.form, len(n.file), p
	r.Output, r.OutputBytes = output, len(m.file)
	r.Method, r.Tried = m.by, m.tried
	r.LogitSQNR, r.Agreement = finite(m.score.Logits), finite(m.score.Agreement)
	if r.Warnings == nil {
		r.Warnings = []string{}
	}
	if r.Tried == nil {
		r.Tried = []triedReport{}
	}
	r.Choices, r.Types = append([]choiceReport{}, m.choices...), append([]typeReport{}, m.types...)
}

func (r *quantizeReport) show(env cli.Env, asJSON bool) error {
	if asJSON {
		return cli.PrintJSON(env.Stdout, r)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %d bytes\n", r.Model, r.Format, r.Bytes)
	r.print(&b)
	if r.Equalized > 0 {
		fmt.Fprintf(&b, "equalized: %s of layers\n", counted(r.Equalized, "pair"))
	}
	if c := r.Calibration; c != nil {
		fmt.Fprintf(&b, "calibration: %s of %s\n", counted(c.Samples, "sample"), c.File)
		for _, note := range c.Notes {
			fmt.Fprintf(&b, "  %s\n", note)
		}
	}
	if len(r.Tried) > 1 {
		for _, t := range r.Tried {
			fmt.Fprintf(&b, "  %s: %s\n", t.Method, scoreText(t.LogitSQNR, t.Agreement))
		}
	}
	fmt.Fprintf(&b, "method: %s\n", r.Method)
	for _, c := range r.Choices {
		fmt.Fprintf(&b, "  %s: %s\n", c.Tensor, c.Method)
	}
	for _, t := range r.Types {
		fmt.Fprintf(&b, "  %s: %s\n", t.Tensor, t.Type)
	}
	if r.Calibration != nil {
		fmt.Fprintf(&b, "on the calibration samples: %s\n", scoreText(r.LogitSQNR, r.Agreement))
	}
	fmt.Fprintf(&b, "%s: %d bytes, %.0f %% of the float model\n", r.Output, r.OutputBytes, 100*float64(r.OutputBytes)/float64(r.Bytes))
	_, err := io.WriteString(env.Stdout, b.String())
	return err
}

func scoreText(sqnr, agreement *float64) string {
	text := "logit SQNR exact"
	if sqnr != nil {
		text = fmt.Sprintf("logit SQNR %.1f dB", *sqnr)
	}
	if agreement != nil {
		text += fmt.Sprintf(", agreement %.2f %%", 100**agreement)
	}
	return text
}

// finite is a number for JSON, which knows no infinity and no NaN.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
