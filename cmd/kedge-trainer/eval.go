package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"kedge/cmd/internal/cli"
	"kedge/quant/eval"
)

func evalCommand() cli.Command {
	return cli.Command{
		Name: "eval", Args: "MODEL", Summary: "measure a model's accuracy on labeled samples",
		Detail: `
Samples are given as the float model takes them, with their classes, counted from 0 as the model's
outputs. Integer models run as on a device, to the byte.
A classifier's accuracy is printed with its standard error, and how many samples of each class
were found. Of a model whose output has the shape of its input the area under the ROC curve is
printed, for the mean squared error of reconstruction as a sign of class 1; a sample that
is longer than the input is slid over, and the errors of its windows are averaged.
` + samplesDetail,
		Setup: func(fs *flag.FlagSet) cli.Run {
			var f sampleFlags
			f.flags(fs)
			f.classFlags(fs)
			path := fs.String("data", "", "`PATH` of the samples and their classes")
			asJSON := fs.Bool("json", false, "print one JSON object")
			return func(ctx context.Context, env cli.Env, args []string) error {
				if *path == "" {
					return missing("data")
				}
				return evaluate(ctx, env, args[0], *path, &f, *asJSON)
			}
		},
	}
}

// evalReport is what eval prints.
type evalReport struct {
	Model      string   `json:"model"`
	Arithmetic string   `json:"arithmetic"` // integer or float
	Data       string   `json:"data"`
	Notes      []string `json:"notes"` // what was done to the samples to make them fit
	resultReport
}

// resultReport is eval.Result; null is what the task does not have.
type resultReport struct {
	Task          eval.Task     `json:"task"`
	Samples       int           `json:"samples"`
	Windows       int           `json:"windows"` // of each sample
	Accuracy      *float64      `json:"accuracy"`
	AccuracyError *float64      `json:"accuracy_standard_error"`
	AUC           *float64      `json:"auc"`
	AUCError      *float64      `json:"auc_standard_error"`
	Scores        []*float64    `json:"mean_scores,omitempty"` // of class 0 and 1
	Classes       []classReport `json:"classes,omitempty"`
}

type classReport struct {
	Class   int      `json:"class"`
	Samples int      `json:"samples"`
	Recall  *float64 `json:"recall"` // null without samples
	Answers int      `json:"answers"`
}

func newResultReport(r *eval.Result) resultReport {
	out := resultReport{
		Task: r.Task, Samples: r.Samples, Windows: r.Windows,
		Accuracy: finite(r.Accuracy), AccuracyError: finite(r.AccuracyError), AUC: finite(r.AUC), AUCError: finite(r.AUCError),
	}
	if r.Task != eval.Classification {
		out.Scores = []*float64{finite(r.Scores[0]), finite(r.Scores[1])}
	}
	for _, c := range r.Classes {
		out.Classes = append(out.Classes, classReport{c.Label, c.Samples, finite(c.Recall()), c.Answers})
	}
	return out
}

func evaluate(ctx context.Context, env cli.Env, path, samples string, f *sampleFlags, asJSON bool) error {
	m, err := openModel(path)
	if err != nil {
		return err
	}
	s, err := f.read(samples, m.Inputs(), m.perms)
	if err != nil {
		return err
	}
	y, err := s.classes()
	if err != nil {
		return err
	}
	p := newProgress(env.Stderr)
	r, err := eval.Evaluate(ctx, m, s.Set, y, eval.Options{Progress: p.step("evaluating")})
	p.end()
	if err != nil {
		return evalError(path, samples, err)
	}
	report := evalReport{path, m.kind, samples, s.Notes, newResultReport(r)}
	if report.Notes == nil {
		report.Notes = []string{}
	}
	if asJSON {
		return cli.PrintJSON(env.Stdout, report)
	}
	return report.print(env.Stdout)
}

// evalError names the file at fault.
func evalError(path, samples string, err error) error {
	switch {
	case errors.Is(err, eval.ErrLabels):
		return labelsError(samples, err)
	case errors.Is(err, eval.ErrSamples):
		return fmt.Errorf("%s: %w", samples, err)
	case errors.Is(err, eval.ErrModel):
		return fmt.Errorf("%s: %w", path, err)
	}
	return err
}

func (r *evalReport) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s of %s\n", r.Model, r.Arithmetic, counted(r.Samples, "sample"), r.Data)
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "%s\n", note)
	}
	for _, line := range r.lines() {
		fmt.Fprintf(&b, "%s\n", line)
	}
	if len(r.Classes) > 0 {
		b.WriteString("\n")
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(tw, "class\tsamples\trecall\tanswers\t\n")
		for _, c := range r.Classes {
			recall := "-"
			if c.Recall != nil {
				recall = fmt.Sprintf("%.1f %%", 100**c.Recall)
			}
			fmt.Fprintf(tw, "%d\t%d\t%s\t%d\t\n", c.Class, c.Samples, recall, c.Answers)
		}
		tw.Flush()
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// lines are the results in words.
func (r *resultReport) lines() []string {
	var lines []string
	if r.Accuracy != nil {
		lines = append(lines, fmt.Sprintf("accuracy: %.2f %%, standard error %.2f", 100**r.Accuracy, 100**r.AccuracyError))
	}
	if r.AUC != nil {
		lines = append(lines, fmt.Sprintf("AUC: %.4f, standard error %.4f", *r.AUC, *r.AUCError))
	} else if r.Task != eval.Classification {
		lines = append(lines, "AUC: none, samples of one class only")
	}
	if len(r.Scores) == 2 && r.Scores[0] != nil && r.Scores[1] != nil {
		what := "score"
		if r.Task == eval.Reconstruction {
			what = "squared error"
		}
		lines = append(lines, fmt.Sprintf("mean %s: %.4g of class 0, %.4g of class 1", what, *r.Scores[0], *r.Scores[1]))
	}
	return lines
}
