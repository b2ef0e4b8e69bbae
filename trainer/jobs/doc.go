// Package jobs makes models: the first one of a name from its base set, and a
// renewed one from what devices captured and people labeled after an alarm.
//
// Fill in a [Pipeline] and call [Pipeline.First], or [Pipeline.Gather] and
// [Pipeline.Retrain]. Both ways train, quantize to int8, measure on samples that the model has not seen,
// and sign a release; neither assigns it to anybody. What a model is measured
// with is the int8 file as a device runs it, to the byte.
//
// Retrain refuses, with [ErrWorse], a model that is no better than the running
// one on the newest labeled samples. A job that is broken off leaves nothing
// behind but, at worst, a release that nobody is assigned to.
//
// A Pipeline may run several jobs at once.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"kedge/trainer/release"
	"kedge/trainer/store"
	"kedge/trainer/train"
)

// Errors that end a job without a release.
var (
	// ErrWorse: the new model answers fewer of the labeled samples right than the running one.
	ErrWorse = errors.New("new model is worse than the running one")
	// ErrQuantized: the int8 model answers differently from the float one too often.
	ErrQuantized = errors.New("quantization changes too many answers")
	// ErrFewLabels: too few labeled samples to measure a model on.
	ErrFewLabels = errors.New("too few labeled samples")
)

// Folds is the number of parts of the cross-validation that measures a model.
const Folds = 5

// MinAgreement is the share of answers that float and int8 model have to have in common.
const MinAgreement = 0.95

// goldenRows is the number of samples in a bundle's golden vectors. A wrong
// kernel shows in the first; the others make sure.
const goldenRows = 8

// A Pipeline makes releases. Registry is required.
type Pipeline struct {
	Registry *release.Registry
	// Fresh and Warm are the built-in trainer's recipes; nil means train.Defaults
	// and train.WarmDefaults.
	Fresh, Warm *train.Options
	// Command, if it has arguments, trains instead of the built-in trainer.
	Command train.Command
	Params  []byte // JSON that the command gets as "user"; may be nil
	Seed    uint64
	Log     *slog.Logger // nil: none
}

// An Outcome is what a job did. Its figures are also there when it failed, as
// far as the job came.
type Outcome struct {
	Release  store.Release
	Samples  int     // trained on
	Labels   int     // of these, captured and labeled in the field
	Accuracy float64 // on samples that the measured model had not seen
	Running  float64 // the running model's on the same; 0 for a first training
	Weak     bool    // the reference is too small for the promise
}

func (p *Pipeline) log() *slog.Logger {
	if p.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return p.Log
}

// warm returns the recipe for retraining.
func (p *Pipeline) warm() train.Options {
	o := train.WarmDefaults()
	if p.Warm != nil {
		o = *p.Warm
	}
	o.Seed = p.Seed
	return o
}

// fresh returns the recipe for a first model.
func (p *Pipeline) fresh(classes int) train.Options {
	o := train.Defaults()
	if p.Fresh != nil {
		o = *p.Fresh
	}
	o.Seed, o.Classes = p.Seed, classes
	return o
}

// runCommand runs the user's command in a folder of its own.
func (p *Pipeline) runCommand(ctx context.Context, job train.Job) (train.Output, error) {
	dir, err := os.MkdirTemp("", "kedge-job-")
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err // its path is new every time
		}
		return train.Output{}, fmt.Errorf("job folder in %s: %w", os.TempDir(), err)
	}
	defer os.RemoveAll(dir)
	job.Params.Seed, job.Params.User = p.Seed, p.Params
	return p.Command.Run(ctx, dir, job)
}
